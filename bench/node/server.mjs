// A bare proxy: no token, no quota, no schema. node server.mjs PORT UPSTREAM
import Fastify from "fastify";
import proxy from "@fastify/http-proxy";

const [port, upstream] = process.argv.slice(2);
const server = Fastify({ logger: false });
await server.register(proxy, { upstream, undici: { connections: 64, pipelining: 1 } });
await server.listen({ port: Number(port), host: "127.0.0.1" });
