// A Request of the text of one, without a connection.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/request.hpp"
#include "http/head_parser.hpp"
#include "http/request_state.hpp"

namespace aiserve::http {

struct Made {
  explicit Made(const std::string& text) : bytes(text) {
    detail::HeadParser parser;
    REQUIRE(parser.parse(bytes, {}, state.head) == detail::HeadParser::Outcome::done);
    REQUIRE(state.bind(bytes.data()));
    state.body = std::as_bytes(std::span(bytes)).subspan(state.head.bytes);
  }
  std::string bytes;
  detail::RequestState state;
  Request request{state};
};

}  // namespace aiserve::http
