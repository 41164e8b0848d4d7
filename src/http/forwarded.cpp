#include "http/forwarded.hpp"

#include <algorithm>

#include "http/char_class.hpp"
#include "http/peer.hpp"
#include "http/request_state.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// Proxies behind one another; a longer chain is not followed.
constexpr int kMaxHops = 32;

// The elements of all fields of one name, from the last to the first.
class Elements {
 public:
  Elements(const RequestState& state, std::string_view name) noexcept
      : state_(state), name_(name), next_(state.head.header_count) {}

  std::optional<std::string_view> take() noexcept {
    for (;;) {
      if (const auto element = take_last(list_)) return element;
      if (!next_field()) return std::nullopt;
    }
  }

 private:
  bool next_field() noexcept {
    while (next_ != 0) {
      const HeaderSpan& span = state_.head.headers[--next_];
      if (!iequals(span.name.in(state_.base), name_)) continue;
      list_ = span.value.in(state_.base);
      return true;
    }
    return false;
  }

  const RequestState& state_;
  std::string_view name_;
  std::size_t next_;
  std::string_view list_;
};

bool trusted_address(const TrustedPeers& trusted, std::string_view text) noexcept {
  const auto address = IpAddress::parse(text);
  return address && trusted.contains(*address);
}

}  // namespace

std::optional<std::string_view> take_last(std::string_view& list) noexcept {
  if (trim(list).empty()) {
    list = {};
    return std::nullopt;
  }
  // From the end, where the proxies write: a quote that a client has left open hides nothing.
  std::size_t begin = list.size();
  bool quoted = false;
  for (; begin != 0 && (quoted || list[begin - 1] != ','); --begin) {
    const bool escaped = begin > 1 && list[begin - 2] == '\\';
    if (list[begin - 1] == '"' && !escaped) quoted = !quoted;
  }
  const std::string_view element = trim(list.substr(begin));
  list = list.substr(0, begin == 0 ? 0 : begin - 1);
  return element;
}

std::string_view address_in(std::string_view text) noexcept {
  std::string_view address = text;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return {};
    address = text.substr(1, end - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    address = text.substr(0, text.find(':'));
  }
  return IpAddress::parse(address) ? address : std::string_view();
}

std::string_view parameter_in(std::string_view element, std::string_view name) noexcept {
  while (!element.empty()) {
    const std::size_t equals = element.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view found = trim(element.substr(0, equals));
    element.remove_prefix(equals + 1);
    std::string_view value;
    if (element.starts_with('"')) {
      const std::size_t end = element.find('"', 1);
      if (end == std::string_view::npos) return {};
      value = element.substr(1, end - 1);
      element.remove_prefix(end + 1);
    }
    const std::size_t semicolon = element.find(';');
    if (value.data() == nullptr) value = trim(element.substr(0, semicolon));
    if (iequals(found, name)) return value;
    element =
        semicolon == std::string_view::npos ? std::string_view() : element.substr(semicolon + 1);
  }
  return {};
}

std::string_view client_of(const RequestState& state) noexcept {
  if (state.peer == nullptr) return {};
  std::string_view client = state.peer->address;
  if (!state.peer->trusted) return client;
  const Forwarding& forwarding = *state.peer->forwarding;
  const bool standard = forwarding.by == ForwardedBy::forwarded;
  Elements elements(state, standard ? "forwarded" : "x-forwarded-for");
  for (int hop = 0; hop < kMaxHops; ++hop) {
    const auto element = elements.take();
    if (!element) break;
    const std::string_view said = address_in(standard ? parameter_in(*element, "for") : *element);
    if (said.empty()) break;
    client = said;
    if (!trusted_address(forwarding.trusted, client)) break;
  }
  return client;
}

std::string_view scheme_of(const RequestState& state) noexcept {
  if (state.peer == nullptr) return "http";
  if (state.peer->secure) return "https";
  if (!state.peer->trusted) return "http";
  const bool standard = state.peer->forwarding->by == ForwardedBy::forwarded;
  Elements elements(state, standard ? "forwarded" : "x-forwarded-proto");
  const auto element = elements.take();
  if (!element) return "http";
  const std::string_view said = standard ? parameter_in(*element, "proto") : *element;
  return iequals(said, "https") ? "https" : "http";
}

}  // namespace aiserve::inline v0::http::detail
