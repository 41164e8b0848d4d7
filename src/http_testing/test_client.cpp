#include "aiserve/http_testing/test_client.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "http/char_class.hpp"
#include "http_testing/call_state.hpp"
#include "http_testing/reply_parser.hpp"

namespace aiserve::inline v0::http {

std::string_view TestClient::Reply::header(std::string_view name) const noexcept {
  const auto at = std::find_if(fields.begin(), fields.end(), [name](const auto& field) {
    return detail::iequals(field.first, name);
  });
  return at == fields.end() ? std::string_view() : std::string_view(at->second);
}

TestClient::Call::Call(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TestClient::Call::Call(Call&&) noexcept = default;
TestClient::Call& TestClient::Call::operator=(Call&&) noexcept = default;
TestClient::Call::~Call() = default;

TestClient::Reply TestClient::Call::reply() {
  state_->turn();
  detail::ParsedReply parsed =
      detail::parse_reply(state_->received, state_->ended, state_->bodiless);
  const bool stream = parsed.reply.header("Content-Type") == "text/event-stream";
  return parsed.complete || stream ? std::move(parsed.reply) : Reply();
}

std::optional<TestClient::Event> TestClient::Call::next_event() {
  const Reply so_far = reply();
  state_->events.append(so_far.body.substr(std::min(state_->events_seen, so_far.body.size())));
  state_->events_seen = so_far.body.size();
  return detail::take_event(state_->events);
}

void TestClient::Call::send(std::string_view piece) {
  if (piece.empty()) return;  // would be the end
  std::array<char, 20> size{};
  const int digits =
      std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());  // chunk-size in hex
  state_->unsent.append(size.data(), static_cast<std::size_t>(digits)).append(piece).append("\r\n");
  state_->turn();
}

void TestClient::Call::finish() {
  state_->unsent += "0\r\n\r\n";
  state_->turn();
}

bool TestClient::Call::closed() {
  state_->turn();
  return state_->ended;
}

TestClient::Reply TestClient::request(std::string_view method, std::string_view target,
                                      std::string_view body, const Fields& fields) {
  return start(method, target, body, fields).reply();
}

TestClient::Socket TestClient::websocket(std::string_view target, const Fields& fields) {
  return Socket(raw(head("GET", target, fields) +
                    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
}

std::string TestClient::head(std::string_view method, std::string_view target,
                             const Fields& fields) const {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
  for (const Fields* list : {&fields_, &fields}) {
    for (const auto& [name, value] : *list) text += name + ": " + value + "\r\n";
  }
  return text;
}

TestClient::Call TestClient::start(std::string_view method, std::string_view target,
                                   std::string_view body, const Fields& fields) {
  std::string text = head(method, target, fields);
  const bool safe = method == "GET" || method == "HEAD" || method == "OPTIONS";
  if (!body.empty() || !safe) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  Call call = raw(text + "\r\n" + std::string(body));
  call.state_->bodiless = method == "HEAD";
  return call;
}

TestClient::Call TestClient::start_stream(std::string_view method, std::string_view target,
                                          const Fields& fields) {
  return raw(head(method, target, fields) + "Transfer-Encoding: chunked\r\n\r\n");
}

TestClient::Call TestClient::raw(std::string_view bytes) {
  auto state = std::make_unique<Call::State>(sim_, server_.connect_here(), false);
  state->unsent = bytes;
  state->turn();
  return Call(std::move(state));
}

}  // namespace aiserve::inline v0::http
