// fastify PORT: what a Node team writes today.
const app = require('fastify')();
app.get('/plaintext', (request, reply) => reply.type('text/plain').send('Hello, World!'));
app.post('/echo', (request, reply) => reply.send(request.body));
app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
