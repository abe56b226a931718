// The Phoenix client from npm, led by lines of JSON: what to do comes in, what happens goes out.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.TEST_NODE_MODULES}/`);
const { Socket } = require("phoenix");
const WebSocket = require("ws");

const [url, token, vsn] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

// As clients of the first version are made: the client itself writes the second one.
const objects = {
  encode: (message, done) => done(JSON.stringify(message)),
  decode: (text, done) => done(JSON.parse(text)),
};
const socket = new Socket(url, {
  transport: WebSocket,
  params: { token },
  vsn,
  timeout: 60_000,
  ...(vsn === "1.0.0" ? objects : {}),
});
socket.onOpen(() => tell({ socket: "opened" }));
socket.onClose((event) => tell({ socket: "closed", code: event.code }));

let channel;
const answered = (push, what) => {
  for (const status of ["ok", "error", "timeout"]) {
    push.receive(status, (response) => tell({ [what]: status, response }));
  }
};
const commands = {
  connect: () => socket.connect(),
  join: ({ topic }) => {
    channel = socket.channel(topic);
    channel.on("receive_msg", (message) => tell({ received: message }));
    channel.onClose(() => tell({ channel: "closed" }));
    answered(channel.join(), "join");
  },
  push: ({ event, payload }) => answered(channel.push(event, payload), "push"),
  leave: () => answered(channel.leave(), "leave"),
  ping: () => socket.ping(() => tell({ ping: "ok" })),
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
});
lines.on("close", () => process.exit());
