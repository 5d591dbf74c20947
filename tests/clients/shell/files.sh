#!/bin/bash
# files.sh -- a script that reads from Drive: with a token of its own, or with an API key
set -euo pipefail

if [ -n "${API_KEY-}" ]; then
# recipe: API key
curl --silent --fail-with-body --oauth2-bearer "$API_KEY" "$DRIVE/files/index.json"
# end
exit
fi

# recipe: client credentials
token=$(curl --silent --fail-with-body --user "$CLIENT_ID:$CLIENT_SECRET" \
    --data grant_type=client_credentials --data scope=files.read "$ISSUER/token" |
    jq --raw-output .access_token)
curl --silent --fail-with-body --oauth2-bearer "$token" "$DRIVE/files/index.json"
# end
