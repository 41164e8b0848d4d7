#include "aiserve/http/request.hpp"

#include <charconv>

#include "aiserve/core/tensor.hpp"
#include "http/char_class.hpp"
#include "http/forwarded.hpp"
#include "http/request_state.hpp"
#include "http/target.hpp"

namespace aiserve::inline v0::http {
namespace detail {

bool RequestState::bind(const char* head_bytes) {
  base = head_bytes;
  if (head.path.in(base) == "*") {
    path = "*";
    return true;
  }
  const auto decoded = decode_path(head.path.in(base), decoded_path);
  if (decoded) path = *decoded;
  return decoded.has_value();
}

void RequestState::own_head() {
  if (base == owned_head.data()) return;
  const char* const old = base;
  const char* const old_end = old + head.bytes;
  owned_head.assign(old, head.bytes);
  base = owned_head.data();
  const auto move = [&](std::string_view& view) {
    const bool inside = view.data() >= old && view.data() < old_end;
    if (inside) view = {base + (view.data() - old), view.size()};
  };
  move(path);
  const std::size_t count = param_names == nullptr ? 0 : param_names->size();
  for (std::size_t i = 0; i < count; ++i) move(params[i]);
}

void RequestState::own_peer() {
  if (peer != nullptr) owned_peer = peer->shared_from_this();
}

void RequestState::own() {
  own_head();
  if (body.empty() || !body_block.empty()) return;
  body_block = Bytes::copy(body);
  body = body_block.view();
}

void RequestState::clear() noexcept {
  constexpr std::size_t kKeep = 4096;
  base = nullptr;
  path = pattern = {};
  peer = nullptr;
  owned_peer.reset();
  param_names = nullptr;
  body = {};
  body_block = {};
  if (owned_head.capacity() > kKeep) std::string().swap(owned_head);
  if (decoded_path.capacity() > kKeep) std::string().swap(decoded_path);
}

}  // namespace detail

using detail::HeaderSpan;

namespace {

const HeaderSpan* find_header(const detail::RequestState& state, std::string_view name) noexcept {
  for (std::size_t i = 0; i < state.head.header_count; ++i) {
    const HeaderSpan& span = state.head.headers[i];
    if (span.name.size == name.size() && detail::iequals(span.name.in(state.base), name)) {
      return &span;
    }
  }
  return nullptr;
}

}  // namespace

Method Request::method() const noexcept { return state_->head.method; }
std::string_view Request::path() const noexcept { return state_->path; }
std::string_view Request::target() const noexcept { return state_->head.target.in(state_->base); }
std::string_view Request::route() const noexcept { return state_->pattern; }
std::string_view Request::host() const noexcept { return state_->head.host.in(state_->base); }
std::string_view Request::peer() const noexcept {
  return state_->peer == nullptr ? std::string_view() : state_->peer->address;
}
std::string_view Request::client() const noexcept { return detail::client_of(*state_); }
std::string_view Request::scheme() const noexcept { return detail::scheme_of(*state_); }
const ClientCertificate* Request::client_certificate() const noexcept {
  const detail::Peer* const peer = state_->peer;
  return peer == nullptr ? nullptr : peer->certificate.get();
}

const Clock& Request::clock() const noexcept {
  return state_->clock == nullptr ? Clock::steady() : *state_->clock;
}

std::string_view Request::param(std::string_view name) const noexcept {
  if (state_->param_names == nullptr) return {};
  const auto& names = *state_->param_names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return state_->params[i];
  }
  return {};
}

std::int64_t Request::int_param(std::string_view name) const noexcept {
  const std::string_view text = param(name);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view Request::query() const noexcept { return state_->head.query.in(state_->base); }
std::optional<std::string> Request::query(std::string_view name) const {
  return detail::query_value(query(), name);
}

std::string_view Request::header(std::string_view name) const noexcept {
  const HeaderSpan* span = find_header(*state_, name);
  return span == nullptr ? std::string_view() : span->value.in(state_->base);
}

bool Request::has_header(std::string_view name) const noexcept {
  return find_header(*state_, name) != nullptr;
}

std::size_t Request::header_count() const noexcept { return state_->head.header_count; }

std::pair<std::string_view, std::string_view> Request::header_at(std::size_t i) const noexcept {
  const HeaderSpan& span = state_->head.headers[i];
  return {span.name.in(state_->base), span.value.in(state_->base)};
}

std::string Request::content_type() const {
  const std::string_view value = header("content-type");
  std::string type(detail::trim(value.substr(0, value.find(';'))));
  for (char& c : type) c = detail::lower(c);
  return type;
}

ByteView Request::body() const noexcept { return state_->body; }

std::string_view Request::text() const noexcept {
  return {reinterpret_cast<const char*>(state_->body.data()), state_->body.size()};
}

Bytes Request::body_bytes() const {
  return state_->body_block.empty() ? Bytes::copy(state_->body) : state_->body_block;
}

Result<Tensor> Request::tensor(DType dtype, const Shape& shape) const {
  if (has_header("content-type") && content_type() != "application/octet-stream") {
    return Error(Errc::invalid_argument, "the body must be application/octet-stream");
  }
  return Tensor::make(dtype, shape, body_bytes());
}

Result<Tensor> Request::tensor() const {
  return tensor(DType::u8, Shape{static_cast<std::int64_t>(body().size())});
}

}  // namespace aiserve::inline v0::http
