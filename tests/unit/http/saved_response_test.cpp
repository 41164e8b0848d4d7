#include "http/saved_response.hpp"

#include <string>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

TEST_CASE("a response survives being kept") {
  const Response made = json("{\"a\":\"\\r\\n\\r\\n\"}").status(201).add_header("Link", "<a>");
  const auto saved = SavedResponse::save(made, 1024);
  REQUIRE(saved);
  const Response back = SavedResponse::restore(*saved).value();
  CHECK(back.status() == 201);
  CHECK(back.header("Content-Type") == "application/json");
  CHECK(back.header("Link") == "<a>");
  CHECK(back.body() == made.body());
  CHECK(SavedResponse::restore(*SavedResponse::save(no_content(), 1024)).value().status() == 204);
  const Response large = bytes(Bytes::copy(std::string_view("x\0y", 3)));
  CHECK(SavedResponse::restore(*SavedResponse::save(large, 1024)).value().body() == large.body());
}

TEST_CASE("what is too large, or cannot be sent, is not kept") {
  CHECK_FALSE(SavedResponse::save(text(std::string(1000, 'x')), 1000));
  CHECK(SavedResponse::save(text(std::string(1000, 'x')), 1100));
  CHECK_FALSE(SavedResponse::save(text("x").header("A", "b\r\nc"), 1000));
  CHECK_FALSE(SavedResponse::save(text("x").status(99), 1000));
}

TEST_CASE("what was not kept by us is not answered") {
  for (const char* bad : {"", "x", "aiserve/1 200", "aiserve/1 200\r\n", "aiserve/1 abc\r\n\r\n",
                          "aiserve/1 99\r\n\r\n", "aiserve/1 200 \r\n\r\n", "aiserve/2 200\r\n\r\n",
                          "aiserve/1 200\r\nno field\r\n\r\n", "aiserve/1 200\r\nA: b\x01\r\n\r\n",
                          "aiserve/1 200\r\nContent-Length: 7\r\n\r\n",
                          "aiserve/1 99999999999\r\n\r\n", "aiserve/1 200\r\nA: b\r\n"}) {
    CAPTURE(bad);
    const auto back = SavedResponse::restore(Bytes::copy(std::string_view(bad)));
    REQUIRE_FALSE(back.ok());
    CHECK(back.error().code() == Errc::data_loss);
  }
}

}  // namespace
}  // namespace aiserve::http::detail
