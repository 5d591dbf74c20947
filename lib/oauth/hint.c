/*
 * hint.c -- an ID token that comes back to us; see hint.h
 */
#include "oauth/hint.h"

#include "base/uuid.h"
#include "jose/jwt.h"
#include "oauth/own_issuer.h"
#include "oauth/own_keys.h"

enum hint_outcome
hint_read(struct store *store, struct arena *arena, struct str issuer, struct str token,
    struct hint_claims *claims, enum store_status *status)
{
	/* Nothing later asks whether the key is still in use. */
	struct own_keys			 keys = { store, arena, STR_ABSENT, STORE_ROWS, true };
	const struct jwt_claims		*verified;
	enum jwt_outcome		 outcome;

	outcome = jwt_verify(arena, token, STR("JWT"), own_keys_find, &keys, &verified);
	*status = keys.status;
	if (keys.status == STORE_BUSY || keys.status == STORE_AWAY)
		return HINT_AWAY;
	if (outcome != JWT_OK)
		return HINT_NOT_OURS;
	switch (own_issuer_check(store, arena, issuer, jwt_claim_string(verified, "iss"), status)) {
	case OWN_ISSUER_IS_US:
		break;
	case OWN_ISSUER_IS_ANOTHER:
		return HINT_NOT_OURS;
	case OWN_ISSUER_UNKNOWN:
		return HINT_AWAY;
	}
	*claims = (struct hint_claims){
		.client_id = jwt_claim_string(verified, "aud"),
		.sub = jwt_claim_string(verified, "sub"),
	};
	if (!uuid_parse(jwt_claim_string(verified, "sid"), claims->session_id))
		memset(claims->session_id, 0, sizeof claims->session_id);
	return str_is_absent(claims->client_id) || str_is_absent(claims->sub) ? HINT_NOT_OURS : HINT_OK;
}
