#include "http/out_buffer.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

// Takes up to `n` bytes from the front.
std::string take(OutBuffer& out, std::size_t n) {
  std::array<iovec, 2> pieces;
  std::string taken;
  while (n != 0 && !out.empty()) {
    const std::size_t used = out.gather(pieces);
    std::size_t count = 0;
    for (std::size_t i = 0; i < used && count < n; ++i) {
      const std::size_t size = std::min(pieces[i].iov_len, n - count);
      taken.append(static_cast<const char*>(pieces[i].iov_base), size);
      count += size;
    }
    out.consume(count);
    n -= count;
  }
  return taken;
}

TEST_CASE("text and large bodies leave in order, in bites of any size") {
  for (const std::size_t bite : {1'000u, 7'777u, 20'000u, 100'000u}) {
    OutBuffer out;
    std::string expected;
    std::string got;
    for (int i = 0; i < 30; ++i) {
      const std::string head(static_cast<std::size_t>(100 + i), static_cast<char>('a' + i % 26));
      const std::string body(static_cast<std::size_t>(5'000 * (i % 4)), 'B');
      out.text() += head;
      out.append(Bytes::copy(std::string_view(body)));
      expected += head + body;
      got += take(out, bite / 10);
    }
    while (!out.empty()) got += take(out, bite);
    CHECK(got == expected);
  }
}

TEST_CASE("a reader who is always a little behind makes nothing grow") {
  OutBuffer out;
  const std::string piece(1'000, 'x');
  for (int i = 0; i < 50; ++i) out.text() += piece;
  for (int i = 0; i < 10'000; ++i) {
    out.text() += piece;
    CHECK(take(out, piece.size()).size() == piece.size());
  }
  CHECK(out.pending() == 50'000);
  CHECK(out.text().capacity() < 1'000'000);
}

}  // namespace
}  // namespace aiserve::http::detail
