// ws_echo PORT: an echo on npm's ws, without compression.
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({
  port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate: false,
});
server.on('connection', (socket) => {
  socket.on('message', (message, binary) => socket.send(message, { binary }));
});
