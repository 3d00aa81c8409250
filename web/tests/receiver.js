// An endpoint of the application: takes webhooks, checks who signed them, and answers as it is told.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { eventually } from "./support.js";

export class Receiver {
  static async open() {
    const receiver = new Receiver();
    receiver.taken = [];
    receiver.status = 200;
    receiver.server = createServer((request, response) => receiver.take(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => receiver.server.once("listening", resolve));
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`;
    return receiver;
  }

  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const given = Buffer.from(request.headers["x-dregs-signature"] ?? "", "hex");
    const own = createHmac("sha256", this.secret ?? "").update(body).digest();
    const isGenuine = given.length === own.length && timingSafeEqual(given, own);
    this.taken.push({ isGenuine, message: JSON.parse(body) });
    response.writeHead(this.status, { "Content-Type": "text/plain" });
    response.end(this.status < 300 ? "thanks" : "the queue is full");
  }

  /** Waits for a genuine webhook of this kind. */
  async genuine(event) {
    const found = await eventually(`a webhook ${event}`, () => this.taken.find((taken) => taken.isGenuine && taken.message.event === event));
    return found.message;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
