// A certified OpenID provider with real login and consent pages, for the tests
// of sign-in: node provider.js PORT REDIRECT_URI [HOST]. Prints "ready" when it listens.
// Whoever signs in is called what they typed; any password will do.
import Provider from "oidc-provider";

const [port, redirectURI, host = "127.0.0.1"] = process.argv.slice(2);
const provider = new Provider(`http://${host}:${port}`, {
  clients: [
    {
      client_id: "tollgate",
      client_secret: "a secret of the suite: 100%+1",
      redirect_uris: [redirectURI],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"], groups: ["groups"] },
  conformIdTokenClaims: false, // the claims in the ID token: the gateway asks no userinfo
  scopes: ["openid", "email", "profile", "groups"],
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.com`,
      email_verified: true,
      preferred_username: id,
      groups: id.startsWith("ops") ? ["ops"] : [],
    }),
  }),
});
provider.on("server_error", (_ctx, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
