// libFuzzer over the frames of a WebSocket: parser, masking, fragments, UTF-8, inflating.
//
// The first byte picks slicing, compression and context takeover, the rest is what a client sends.
// Promises held on every input: the outcome doesn't depend on the slicing; no message is beyond the
// limit; text is UTF-8; a close frame carries a code that may be sent; what the reader took and
// left adds up.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/utf8.hpp"
#include "http/websocket_reader.hpp"

namespace {

using aiserve::detail::next_utf8;
using namespace aiserve::http::detail;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto step = next_utf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

// One line per message, control frame and end.
std::string describe(WebSocketReader& reader, WebSocketReader::Outcome outcome,
                     std::size_t max_message) {
  using Outcome = WebSocketReader::Outcome;
  std::string line = std::to_string(static_cast<int>(outcome)) + " ";
  switch (outcome) {
    case Outcome::message:
      promise(reader.message().size() <= max_message, "no message is beyond the limit");
      promise(reader.type() == Opcode::binary || is_utf8(reader.message()), "text is UTF-8");
      return line + std::to_string(static_cast<int>(reader.type())) + reader.message();
    case Outcome::ping:
    case Outcome::pong:
      promise(reader.control().size() <= kMaxControl, "a control frame is short");
      return line + std::string(reader.control());
    case Outcome::close:
      promise(reader.code() == 1005 || is_close_code(reader.code()), "a close code is valid");
      promise(is_utf8(reader.control()), "the reason is UTF-8");
      return line + std::to_string(reader.code()) + std::string(reader.control());
    case Outcome::failed:
      promise(is_close_code(reader.code()), "a failure has a code to send");
      return line + std::to_string(reader.code()) + std::string(reader.reason());
    case Outcome::more:
      break;
  }
  return line;
}

std::vector<std::string> run(std::string_view bytes, const WebSocketReaderOptions& options,
                             std::size_t slice) {
  using Outcome = WebSocketReader::Outcome;
  DeflatePool pool;
  WebSocketReader reader(options, pool);
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, slice));  // exact: a read beyond it is found
    bytes.remove_prefix(piece.size());
    std::string_view input = piece;
    for (;;) {
      const std::size_t before = input.size();
      const Outcome outcome = reader.next(input);
      promise(input.size() <= before, "input only shrinks");
      if (outcome == Outcome::more) break;
      lines.push_back(describe(reader, outcome, options.max_message));
      if (outcome == Outcome::close || outcome == Outcome::failed) return lines;
    }
    promise(input.empty(), "more is said when all is taken");
    reader.trim();
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const WebSocketReaderOptions options{.max_message = 4096,
                                       .deflate = (data[0] & 0x80) != 0,
                                       .context_takeover = (data[0] & 0x40) != 0};
  const auto whole = run(bytes, options, bytes.size() + 1);
  promise(whole == run(bytes, options, 1 + (data[0] & 0x3f)), "slicing changes nothing");
  return 0;
}
