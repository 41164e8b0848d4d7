// An authorization server on a free port of loopback, with keys that rotate.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const kAlgorithms = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

export function makeKey(alg, kid) {
  const { privateKey } = kAlgorithms[alg]();
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

const kApp = {
  client_id: 'app',
  client_secret: 'a-secret-of-the-app',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
};
const kService = { ...kApp, client_id: 'service', client_secret: 'a-secret-of-the-service' };

const basic = ({ client_id, client_secret }) =>
  'Basic ' + Buffer.from(`${client_id}:${client_secret}`).toString('base64');

export class Issuer {
  service = kService;
  downloads = 0; // of the keys
  down = false;

  async start(keys) {
    this.http = createServer((request, response) => {
      if (this.down) return request.socket.destroy();
      if (request.url === '/jwks') ++this.downloads;
      this.provider.callback()(request, response);
    });
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    this.url = `http://127.0.0.1:${this.http.address().port}`;
    this.rotate(keys);
    this.metadata = await (await fetch(this.url + '/.well-known/openid-configuration')).json();
  }
  stop() {
    this.http.closeAllConnections();
    this.http.close();
  }

  // From now on these are its keys; opaque tokens stay what they were.
  rotate(keys) {
    this.provider = new Provider(this.url, {
      clients: [kApp, kService],
      jwks: { keys },
      scopes: ['infer'],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_, resource) => ({
            scope: 'infer',
            audience: resource,
            accessTokenTTL: this.lifetime,
            accessTokenFormat: this.alg ? 'jwt' : 'opaque',
            ...(this.alg && { jwt: { sign: { alg: this.alg } } }),
          }),
        },
      },
    });
  }

  async ask(endpoint, form) {
    return fetch(this.metadata[endpoint], {
      method: 'POST',
      headers: { authorization: basic(kApp) },
      body: new URLSearchParams(form),
    });
  }
  // `alg` of a JSON Web Token; none: an opaque token.
  async token(audience, { alg, lifetime = 600 } = {}) {
    Object.assign(this, { alg, lifetime });
    const answer = await this.ask('token_endpoint',
      { grant_type: 'client_credentials', scope: 'infer', resource: audience });
    const said = await answer.json();
    if (!said.access_token) throw new Error(`no token: ${JSON.stringify(said)}`);
    return said.access_token;
  }
  async revoke(token) {
    const answer = await this.ask('revocation_endpoint', { token });
    if (answer.status !== 200) throw new Error(`not revoked: ${answer.status}`);
  }
}
