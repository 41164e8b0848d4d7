// bench http: what an HTTP request costs the server process.
//
//   scripts/bench http [--only REGEX] [--json FILE] [--quick]
//
// One server thread, 64 keep-alive connections on loopback, closed loop. Servers and load
// generators are processes of their own; CPU is the server's alone, read from /proc around each
// load. In each round all alternatives of a group take turns. The floor is
// bench/rivals/epoll_floor.cpp: raw epoll, one read and one write per ready socket, almost no
// parsing. Peers that are not installed are left out by name.
//
// http.user_us.floor, .bare       user CPU per request of a POST of 200 B of JSON that comes back,
//                                 in us. The kernel samples user against system time at its tick,
//                                 which leaves some 0.05 us of noise.
// http.user_us_over_floor.bare    what the server adds to the floor. Bar 1.5.
// http.cpu_us.floor, .bare        user and system CPU of it
// http.cpu_ratio.bare_vs_floor    of total CPU, same round. Bar 1.2.
// http.requests_per_s.floor, .bare  of the POST; the load generator has the other core
// http.pipelined16_cpu_ratio_vs_floor  GET of 13 B, 16 requests in one write per connection,
//                                 answered in order by a coroutine handler that completes at once:
//                                 total CPU per request over the floor's. Bar 2.0.
// http.pipelined16_suspending_cpu_ratio  the same by a handler that suspends once and is resumed
//                                 through its thread's inbox, as by a Batcher. Bar 3.5.
// http.pipelined16_cpu_us.*       what lies behind them
// http.PEER.cpu_us, .requests_per_s, .cpu_ratio_vs_ours
//                                 the POST to nginx (a fixed answer of 200 B), cpp-httplib, fastify
//                                 and FastAPI on uvicorn
// http.json_cpu_ratio_vs_fastapi  the POST to a typed handler that takes it apart and puts it
//                                 together again: total CPU per request of FastAPI with Pydantic
//                                 over ours. Bar 30.
// http.json_cpu_us.*, http.json_user_us.typed  what lies behind it
// http.user_us_over_floor.typed_full  user CPU that a service adds to the floor: the POST to
//                                 /items/{id}, a typed coroutine handler, with a bearer token of
//                                 RS256 that was verified before, a rate limit per tenant, metrics,
//                                 and a span that is recorded and exported to nowhere. Bar 6.
// http.user_us.typed_full, http.cpu_us.typed_full, http.requests_per_s.typed_full  the same whole
// http.limiter_ns                 one decision of http::limit's RateLimiter for one of 10,000
//                                 tenants, two threads at a time, the clock included. Bar 300.
// http.tls_cpu_ratio_vs_nginx     GET by wrk: our CPU per request over TLS 1.3 / plain, over the
//                                 same quotient of nginx. Bar 1.1.
// http.tls_cpu_us.*, http.tls_plain_cpu_us.*  what lies behind it
// ws.rate_ratio_vs_npm_ws.wN      WebSocket echo of 32 B, N messages in flight on each of 64
//                                 connections: messages/s over those of npm's ws. Bars 2 and 12.
// ws.rate.ours.wN, .npm_ws.wN     messages/s
// http.idle_kib_per_conn, ws.idle_kib_per_conn  growth of resident memory per connection that asked
//                                 once (or is a WebSocket) and is silent, of 10,000. Bar 6.
// http.slow_reader_rss_ratio      64 streams of 64 MiB to clients that read nothing but the head:
//                                 growth of resident memory over connections x stream_buffer
//                                 (256 KiB). Bar 1.2.
// http.jwt_verify_us.rs256, .es256  one thread, a token of 500 to 700 B that was not seen before,
//                                 key known. Bars 40 and 120.
// http.jwt_verify_us.cached       the same of one of 1,000 that were verified before. Bar 1.
#include "harness/bench.hpp"
#include "http/groups.hpp"

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  std::vector<bench::Group> groups;
  for (const auto& make : {bench::request_groups, bench::tls_groups, bench::websocket_groups,
                           bench::memory_groups, bench::peer_groups, bench::typed_groups,
                           bench::typed_full_groups, bench::limiter_groups, bench::token_groups}) {
    for (bench::Group& group : make(options)) groups.push_back(std::move(group));
  }
  return bench::run(options, groups);
}
