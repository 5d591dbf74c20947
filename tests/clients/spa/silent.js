// silent.js -- the page in the hidden frame: hands the answer to the app around it

// recipe: frame
new oidc.UserManager({}).signinSilentCallback();
// end
