// Uses the example through types that were generated from its document.
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

declare const process: { argv: string[] };
function same(got: unknown, wanted: unknown) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

const baseUrl = process.argv[2]!;
const api = createClient<paths>({ baseUrl, headers: { Authorization: 'Bearer biscuit' } });

const fresh: components['schemas']['NewPet'] = {
  name: 'Rex',
  species: { kind: 'dog', trick: 'roll' },
  tags: ['good'],
};
const added = await api.POST('/v1/pets', { body: fresh });
same(added.response.status, 201);
const pet = added.data!;
same(pet.size, 'medium');

const found = await api.GET('/v1/pets/{id}', { params: { path: { id: pet.id } } });
same(found.data, pet);
const listed = await api.GET('/v1/pets', { params: { query: { tag: 'good', limit: 5 } } });
same(listed.data, [pet]);

const refused = await api.GET('/v1/pets', { params: { query: { limit: 0 } } });
same(refused.response.status, 422);
same(refused.error!.errors!.map((one) => one.name), ['limit']);

const gone = await api.DELETE('/v1/pets/{id}', { params: { path: { id: pet.id } } });
same(gone.response.status, 204);
same((await api.GET('/v1/pets/{id}', { params: { path: { id: pet.id } } })).response.status, 404);
same((await createClient<paths>({ baseUrl }).GET('/v1/pets')).response.status, 401);
console.log('the client was served');
