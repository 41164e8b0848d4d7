#include "http/websocket_extension.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

std::string response(std::string_view offers, const DeflateTerms& terms = {}) {
  const auto agreed = agree_on_deflate(offers, terms);
  return agreed ? agreed->response : "declined";
}

constexpr DeflateTerms kTakeover{.context_takeover = true};

TEST_CASE("without context takeover neither side may refer to earlier messages") {
  const auto agreed = agree_on_deflate("permessage-deflate; client_max_window_bits", {});
  REQUIRE(agreed);
  CHECK(agreed->response ==
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  CHECK_FALSE(agreed->server_takeover);
  CHECK_FALSE(agreed->client_takeover);
  CHECK(agreed->window_bits == 15);
}

TEST_CASE("with it, each side refers back unless the client says no") {
  CHECK(response("permessage-deflate", kTakeover) == "permessage-deflate");
  CHECK(response("permessage-deflate; server_no_context_takeover", kTakeover) ==
        "permessage-deflate; server_no_context_takeover");
  const auto agreed = agree_on_deflate("permessage-deflate; client_no_context_takeover", kTakeover);
  REQUIRE(agreed);
  CHECK(agreed->response == "permessage-deflate; client_no_context_takeover");
  CHECK(agreed->server_takeover);
  CHECK_FALSE(agreed->client_takeover);
}

TEST_CASE("the client bounds the window of the server") {
  const auto agreed = agree_on_deflate("permessage-deflate; server_max_window_bits=10", kTakeover);
  REQUIRE(agreed);
  CHECK(agreed->response == "permessage-deflate; server_max_window_bits=10");
  CHECK(agreed->window_bits == 10);
  CHECK(response("permessage-deflate; server_max_window_bits=\"15\"",
                 {.context_takeover = true, .window_bits = 12}) ==
        "permessage-deflate; server_max_window_bits=12");
  const DeflateTerms small{.context_takeover = true, .window_bits = 9};
  CHECK(agree_on_deflate("permessage-deflate", small)->window_bits == 9);
}

TEST_CASE("the first offer that can be met is") {
  CHECK(response("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=8, "
                 "permessage-deflate; server_max_window_bits=9,permessage-deflate",
                 kTakeover) == "permessage-deflate; server_max_window_bits=9");
}

TEST_CASE("an offer that is not understood to the last word is declined") {
  for (const char* offer :
       {"", " ", ",", "permessage-bzip2", "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=15x",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate;; client_max_window_bits"}) {
    CHECK_MESSAGE(response(offer) == "declined", offer);
  }
}

}  // namespace
}  // namespace aiserve::http::detail
