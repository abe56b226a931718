// Many Socket.IO clients, led by lines of JSON: each names one and says what it is to do. What they hear comes back
// likewise.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { io } = createRequire(`${process.env.TEST_NODE_MODULES}/`)('socket.io-client');
const sockets = new Map();

function tell(who, event, data = null) {
  process.stdout.write(`${JSON.stringify({ who, event, data })}\n`);
}

function connect(who, { url, path, transports, auth }) {
  const socket = io(url, { path, transports, auth, forceNew: true, reconnection: false });
  socket.on('connect', () => tell(who, 'connect'));
  socket.on('connect_error', (error) => tell(who, 'connect_error', error.message));
  socket.on('disconnect', (reason) => tell(who, 'disconnect', reason));
  socket.io.engine.on('upgrade', (transport) => tell(who, 'upgrade', transport.name));
  socket.onAny((event, data) => tell(who, event, data));
  sockets.set(who, socket);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { who, connect: to, emit, ask, close } = JSON.parse(line);
  if (to) {
    connect(who, to);
  } else if (emit) {
    sockets.get(who).emit(...emit);
  } else if (ask) {
    sockets.get(who).emit(...ask, (answer) => tell(who, 'ack', answer));
  } else if (close) {
    sockets.get(who).close();
  }
}
process.exit();
