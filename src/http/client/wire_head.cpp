#include "http/client/wire_head.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<std::string_view, 10> kOwn{
    "host", "content-length", "transfer-encoding", "connection", "keep-alive",
    "te",   "trailer",        "upgrade",           "expect",     "proxy-connection"};

bool is_own(std::string_view name) noexcept {
  return std::any_of(kOwn.begin(), kOwn.end(),
                     [name](std::string_view own) { return iequals(own, name); });
}

bool is_name(std::string_view name) noexcept {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return is(c, kToken); });
}

bool is_value(std::string_view value) noexcept {
  const char* const end = value.data() + value.size();
  return field_chars_end(value.data(), end) == end && trim(value).size() == value.size();
}

bool has(const ClientRequest& request, std::string_view name) noexcept {
  const auto& fields = request.fields();
  return std::any_of(fields.begin(), fields.end(), [name](const ClientRequest::Field& field) {
    return iequals(field.name, name);
  });
}

bool describes_body(std::string_view name) noexcept {
  return name.size() > 8 && iequals(name.substr(0, 8), "content-");
}

void add(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void add_framing(std::string& head, const ClientRequest& request, const WireHead& wire) {
  const ClientBody* const source = wire.with_body ? request.source() : nullptr;
  if (source != nullptr && !source->length) return add(head, "Transfer-Encoding", "chunked");
  std::uint64_t size = wire.with_body ? request.body().size() : 0;
  if (source != nullptr) size = *source->length;
  const bool may_have_body =
      wire.method == Method::post || wire.method == Method::put || wire.method == Method::patch;
  if (size != 0 || may_have_body) add(head, "Content-Length", std::to_string(size));
}

std::string milliseconds(Duration time) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return std::to_string(std::max<std::int64_t>(whole, 1));
}

}  // namespace

Result<void> check_fields(const ClientRequest& request) {
  if (request.source() != nullptr && !request.source()->next) {
    return Error(Errc::invalid_argument, "a body that nothing makes");
  }
  for (const ClientRequest::Field& field : request.fields()) {
    if (is_own(field.name)) {
      return Error(Errc::invalid_argument, "a field that is the client's own: " + field.name);
    }
    if (!is_name(field.name) || !is_value(field.value)) {
      return Error(Errc::invalid_argument, "a field that cannot be sent as one field");
    }
  }
  return success();
}

std::string encode_head(const ClientRequest& request, const WireHead& wire, const Context& ctx,
                        const ClientOptions& options) {
  std::string head(name(wire.method));
  head.append(" ").append(wire.url.target()).append(" HTTP/1.1\r\n");
  add(head, "Host", wire.url.authority());
  for (const ClientRequest::Field& field : request.fields()) {
    const bool stays =
        (field.secret && !wire.own_origin) || (!wire.with_body && describes_body(field.name));
    if (!stays) add(head, field.name, field.value);
  }
  if (!options.user_agent.empty() && !has(request, "user-agent")) {
    add(head, "User-Agent", options.user_agent);
  }
  if (options.decode && !has(request, "accept-encoding")) {
    add(head, "Accept-Encoding", "gzip, deflate");
  }
  const bool bounded = options.send_deadline && wire.remaining != Duration::max();
  if (bounded && !has(request, "request-timeout-ms")) {
    add(head, "Request-Timeout-Ms", milliseconds(wire.remaining));
  }
  if (ctx.trace().valid() && !has(request, "traceparent")) {
    add(head, "traceparent", ctx.trace().text());
  }
  add_framing(head, request, wire);
  return head += "\r\n";
}

}  // namespace aiserve::inline v0::http::detail
