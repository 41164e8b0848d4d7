#include "http/websocket_handshake.hpp"

#include <string>

#include <doctest/doctest.h>

#include "http/head_parser.hpp"
#include "http/request_state.hpp"

namespace aiserve::http::detail {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";

struct Fields {
  std::string start = "GET /ws HTTP/1.1";
  std::string upgrade = "websocket";
  std::string connection = "Upgrade";
  std::string version = "13";
  std::string key = kKey;
  std::string more = "";
};

Handshake check(const Fields& fields, const WebSocketOptions& options = {}) {
  const std::string bytes =
      fields.start + "\r\nHost: app.example:8080\r\nUpgrade: " + fields.upgrade +
      "\r\nConnection: " + fields.connection + "\r\nSec-WebSocket-Version: " + fields.version +
      "\r\nSec-WebSocket-Key: " + fields.key + "\r\n" + fields.more + "\r\n";
  HeadParser parser;
  RequestState state;
  REQUIRE(parser.parse(bytes, {}, state.head) == HeadParser::Outcome::done);
  REQUIRE(state.bind(bytes.data()));
  const Request request(state);
  return check_handshake(state.head, request, options);
}

int status(const Fields& fields, const WebSocketOptions& options = {}) {
  return check(fields, options).status;
}

TEST_CASE("the example of RFC 6455 section 1.3 is accepted with the key it prints") {
  const Handshake agreed = check({});
  CHECK(agreed.status == 101);
  CHECK(agreed.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(agreed.subprotocol.empty());
  CHECK_FALSE(agreed.deflate);
}

TEST_CASE("lists and cases are read as HTTP has them") {
  CHECK(status({.upgrade = "h2c, WebSocket", .connection = "keep-alive, UPGRADE"}) == 101);
}

TEST_CASE("what does not ask for WebSocket is told to") {
  CHECK(status({.upgrade = "h2c"}) == 426);
  CHECK(status({.upgrade = "websockets"}) == 426);
  CHECK(status({.connection = "keep-alive"}) == 426);
  CHECK(status({.start = "HEAD /ws HTTP/1.1"}) == 426);
  CHECK(status({.start = "GET /ws HTTP/1.0"}) == 426);
}

TEST_CASE("only version 13 is spoken") {
  for (const char* version : {"", "8", "12", "14", "13, 8", "013"}) {
    CHECK(status({.version = version}) == 426);
  }
  CHECK(status({.more = "Sec-WebSocket-Version: 13\r\n"}) == 400);
}

TEST_CASE("a key is the base64 of 16 bytes, once") {
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j-_==", "dGhlIHNhbXBsZSBub2 jZQ==",
        "dGhlIHNhbXBsZSBub25jZWQh", "AAAA"}) {
    CHECK_MESSAGE(status({.key = key}) == 400, key);
  }
  CHECK(status({.key = "+/+/AAAAAAAAAAAAAAAAAA=="}) == 101);
  CHECK(status({.more = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}) == 400);
}

TEST_CASE("a handshake with a body is refused") {
  CHECK(status({.more = "Content-Length: 1\r\n"}) == 400);
  CHECK(status({.more = "Transfer-Encoding: chunked\r\n"}) == 400);
  CHECK(status({.more = "Content-Length: 0\r\n"}) == 101);
}

TEST_CASE("without a list a browser may come from this host only") {
  CHECK(status({.more = "Origin: http://app.example:8080\r\n"}) == 101);
  CHECK(status({.more = "Origin: HTTPS://APP.EXAMPLE:8080\r\n"}) == 101);
  for (const char* origin :
       {"http://app.example", "http://evil.example", "null", "", "app.example:8080",
        "http://app.example:8080.evil.example", "http://evil.example/http://app.example:8080"}) {
    CHECK_MESSAGE(status({.more = "Origin: " + std::string(origin) + "\r\n"}) == 403, origin);
  }
  CHECK(
      status({.more = "Origin: http://app.example:8080\r\nOrigin: http://app.example:8080\r\n"}) ==
      403);
}

TEST_CASE("a list of origins is the whole truth") {
  const WebSocketOptions options{.origins = {"https://a.example", "null"}};
  CHECK(status({.more = "Origin: https://a.example\r\n"}, options) == 101);
  CHECK(status({.more = "Origin: null\r\n"}, options) == 101);
  CHECK(status({}, options) == 101);
  CHECK(status({.more = "Origin: http://a.example\r\n"}, options) == 403);
  CHECK(status({.more = "Origin: http://app.example:8080\r\n"}, options) == 403);
  CHECK(status({.more = "Origin: https://any.example\r\n"}, {.origins = {"*"}}) == 101);
}

TEST_CASE("the subprotocol the server likes best is chosen among those offered") {
  const WebSocketOptions options{.subprotocols = {"v2", "v1"}};
  const std::string field = "Sec-WebSocket-Protocol: ";
  CHECK(check({.more = field + "v1, v2\r\n"}, options).subprotocol == "v2");
  CHECK(check({.more = field + "v0\r\n" + field + "v1\r\n"}, options).subprotocol == "v1");
  CHECK(check({.more = field + "V2\r\n"}, options).subprotocol.empty());
  CHECK(check({.more = field + "v1\r\n"}).subprotocol.empty());
  CHECK(status({.more = field + "v1, no token\r\n"}, options) == 400);
}

TEST_CASE("compression is agreed on only where it is offered and wanted") {
  const std::string field = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  CHECK_FALSE(check({.more = field}).deflate);
  WebSocketOptions options;
  options.deflate.enabled = true;
  CHECK_FALSE(check({}, options).deflate);
  REQUIRE(check({.more = field}, options).deflate);
  CHECK(check({.more = field}, options).deflate->response.starts_with("permessage-deflate;"));
  CHECK(check({.more = "Sec-WebSocket-Extensions: foo\r\n" + field}, options).deflate);
}

}  // namespace
}  // namespace aiserve::http::detail
