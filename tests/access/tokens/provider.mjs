// A real OpenID provider (oidc-provider) on a free port, whose users log in without being asked.
// It prints where it is, and ends when its standard input does.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { modules, roles, secret } = JSON.parse(process.argv[2]);
const entry = join(modules, "oidc-provider", "lib", "index.js");
const { Provider } = await import(pathToFileURL(entry));

const HUB_SCOPES = "hub:read hub:write hub:sensitive hub:admin";
const CALLBACK = "http://127.0.0.1/callback";

function signingKey(kid, alg, kind, options) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "reports-service",
      client_secret: secret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: "school-app",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      response_types: ["code"],
      redirect_uris: [CALLBACK],
    },
  ],
  jwks: {
    keys: [
      signingKey("rsa", "RS256", "rsa", { modulusLength: 2048 }),
      signingKey("ec", "ES256", "ec", { namedCurve: "P-256" }),
    ],
  },
  scopes: ["openid", "offline_access", ...HUB_SCOPES.split(" ")],
  cookies: { keys: [secret] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (_, token) => ({
    realm_access: { roles: roles[token.accountId ?? token.clientId] ?? [] },
  }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: HUB_SCOPES,
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: resource.endsWith("/mcp") ? "ES256" : "RS256" } },
      }),
    },
  },
});

async function logIn(request, response) {
  const details = await provider.interactionDetails(request, response);
  const accountId = details.session?.accountId ?? details.params.login_hint ?? "teacher-kim";
  if (details.prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
  const { missingOIDCScope = [], missingResourceScopes = {} } = details.prompt.details;
  grant.addOIDCScope(missingOIDCScope.join(" "));
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
server.on("request", (request, response) =>
  request.url.startsWith("/interaction/") ? logIn(request, response) : answer(request, response),
);
process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ issuer }));
