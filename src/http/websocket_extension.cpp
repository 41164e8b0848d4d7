#include "http/websocket_extension.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr int kSmallestWindow = 9;

// Takes what stands before the next `separator` off `text`, without blanks around it.
std::string_view take_item(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view item = trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return item;
}

struct Offer {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  bool client_bits = false;
  std::optional<int> server_bits;
};

// 8 to 15 without leading zeros, quoted or not; 0 if it is anything else.
int window_bits(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  if (value == "8" || value == "9") return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
    return 10 + (value[1] - '0');
  }
  return 0;
}

// Once, and without a value.
bool set_flag(bool& flag, bool has_value) noexcept {
  if (flag || has_value) return false;
  return flag = true;
}

bool take_parameter(std::string_view text, Offer& offer) {
  const bool has_value = text.find('=') != std::string_view::npos;
  std::string_view rest = text;
  const std::string_view name = take_item(rest, '=');
  const std::string_view value = trim(rest);
  if (iequals(name, "server_no_context_takeover")) {
    return set_flag(offer.server_no_takeover, has_value);
  }
  if (iequals(name, "client_no_context_takeover")) {
    return set_flag(offer.client_no_takeover, has_value);
  }
  if (iequals(name, "client_max_window_bits")) {
    return set_flag(offer.client_bits, false) && (!has_value || window_bits(value) != 0);
  }
  if (!iequals(name, "server_max_window_bits") || offer.server_bits) return false;
  offer.server_bits = window_bits(value);
  return *offer.server_bits != 0;
}

std::optional<Offer> parse_offer(std::string_view text) {
  if (!iequals(take_item(text, ';'), "permessage-deflate")) return std::nullopt;
  Offer offer;
  while (!text.empty()) {
    if (!take_parameter(take_item(text, ';'), offer)) return std::nullopt;
  }
  if (offer.server_bits && *offer.server_bits < kSmallestWindow) return std::nullopt;
  return offer;
}

DeflateAgreement agreement(const Offer& offer, const DeflateTerms& terms) {
  DeflateAgreement agreed;
  agreed.server_takeover = terms.context_takeover && !offer.server_no_takeover;
  agreed.client_takeover = terms.context_takeover && !offer.client_no_takeover;
  agreed.window_bits = std::min(terms.window_bits, offer.server_bits.value_or(terms.window_bits));
  agreed.response = "permessage-deflate";
  if (!agreed.server_takeover) agreed.response += "; server_no_context_takeover";
  if (!agreed.client_takeover) agreed.response += "; client_no_context_takeover";
  if (offer.server_bits) {
    agreed.response += "; server_max_window_bits=" + std::to_string(agreed.window_bits);
  }
  return agreed;
}

}  // namespace

std::optional<DeflateAgreement> agree_on_deflate(std::string_view offers,
                                                 const DeflateTerms& terms) {
  while (!offers.empty()) {
    if (const auto offer = parse_offer(take_item(offers, ','))) return agreement(*offer, terms);
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0::http::detail
