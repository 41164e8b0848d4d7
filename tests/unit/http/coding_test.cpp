#include "http/coding.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

AcceptEncoding parsed(std::string_view field) {
  AcceptEncoding accept;
  accept.add(field);
  return accept;
}

TEST_CASE("codings are known by their registered names, in any case") {
  CHECK(coding_named("gzip") == Coding::gzip);
  CHECK(coding_named("X-GZIP") == Coding::gzip);
  CHECK(coding_named("Br") == Coding::brotli);
  CHECK(coding_named("zstd") == Coding::zstd);
  CHECK(coding_named("deflate") == Coding::deflate);
  CHECK(coding_named("identity") == Coding::identity);
  CHECK(!coding_named("compress"));
  CHECK(!coding_named(""));
  CHECK(!coding_named("gzip "));
  CHECK(name(Coding::brotli) == "br");
}

TEST_CASE("weights are read to the thousandth") {
  const AcceptEncoding accept = parsed("gzip;q=0.5, br;q=1.0 ,zstd; q=0.001");
  CHECK(accept.weight(Coding::gzip) == 500);
  CHECK(accept.weight(Coding::brotli) == 1000);
  CHECK(accept.weight(Coding::zstd) == 1);
  CHECK(accept.weight(Coding::deflate) == 0);
  CHECK(accept.weight(Coding::identity) == 1000);
}

TEST_CASE("a star speaks for what isn't named") {
  const AcceptEncoding accept = parsed("*;q=0.2, br;q=0");
  CHECK(accept.weight(Coding::gzip) == 200);
  CHECK(accept.weight(Coding::brotli) == 0);
  CHECK(accept.weight(Coding::identity) == 200);
  CHECK(parsed("identity;q=0").weight(Coding::identity) == 0);
}

TEST_CASE("fields of one request add up") {
  AcceptEncoding accept = parsed("gzip");
  accept.add("br;q=0.3");
  CHECK(accept.weight(Coding::gzip) == 1000);
  CHECK(accept.weight(Coding::brotli) == 300);
}

TEST_CASE("malformed elements count for nothing and harm no others") {
  for (const std::string_view field :
       {"gzip;q=2", "gzip;q=1.001", "gzip;q=", "gzip;q", "gzip;x=1", "gzip;q=0.1234", "gzip;q=-1",
        "gzip;q=1,5", "gzip;q=0.5;q=1", "gzip;q=.5", "gz ip", "gzip;q=0,5"}) {
    CAPTURE(field);
    const AcceptEncoding accept = parsed(field);
    CHECK((accept.weight(Coding::gzip) == 0 || field.find(',') != std::string_view::npos));
    CHECK(accept.weight(Coding::brotli) == 0);
  }
  CHECK(parsed("gzip;q=9, br").weight(Coding::brotli) == 1000);
  CHECK(parsed(",,, ,br,,").weight(Coding::brotli) == 1000);
  CHECK(parsed("").weight(Coding::gzip) == 0);
}

}  // namespace
}  // namespace aiserve::http::detail
