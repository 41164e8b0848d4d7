#include "aiserve/http/request.hpp"

#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/tensor.hpp"
#include "aiserve/http/json.hpp"
#include "unit/http/made_request.hpp"

namespace aiserve::http {
namespace {

std::string post(std::string_view type, std::string_view body) {
  return "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) + "\r\n\r\n" +
         std::string(body);
}

TEST_CASE("fields are found in any case, the first of a name counts") {
  const Made made("GET /p%41?a=1&b=x+y HTTP/1.1\r\nHost: h:1\r\nX-One: 1\r\nx-one: 2\r\n\r\n");
  const Request& request = made.request;
  CHECK(request.method() == Method::get);
  CHECK(request.path() == "/pA");
  CHECK(request.target() == "/p%41?a=1&b=x+y");
  CHECK(request.host() == "h:1");
  CHECK(request.header("X-ONE") == "1");
  CHECK(request.has_header("x-one"));
  CHECK(request.header("X-Two").empty());
  CHECK_FALSE(request.has_header("X-Two"));
  CHECK(request.header_count() == 3);
  CHECK(request.header_at(2).second == "2");
  CHECK(request.query("b") == "x y");
  CHECK_FALSE(request.query("c"));
}

TEST_CASE("parameters are those of the route") {
  Made made("GET /a/12 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::vector<std::string> names{"name", "id"};
  made.state.param_names = &names;
  made.state.params[0] = "a";
  made.state.params[1] = "12";
  CHECK(made.request.param("name") == "a");
  CHECK(made.request.int_param("id") == 12);
  CHECK(made.request.param("other").empty());
  CHECK(made.request.int_param("other") == 0);
}

TEST_CASE("a request that owns its bytes doesn't look at the buffer again") {
  Made made(post("text/plain", "body") + "");
  const std::vector<std::string> names{"name"};
  made.state.param_names = &names;
  made.state.params[0] = made.state.path.substr(1, 2);
  made.state.own();
  made.bytes.assign(made.bytes.size(), '!');
  CHECK(made.request.path() == "/v1/x");
  CHECK(made.state.params[0] == "v1");
  CHECK(made.request.content_type() == "text/plain");
  CHECK(made.request.text() == "body");
  CHECK(made.request.body_bytes().data() == made.request.body().data());
}

TEST_CASE("the media type is lower case and without parameters") {
  CHECK(Made(post("Application/JSON; charset=utf-8", "")).request.content_type() ==
        "application/json");
}

TEST_CASE("a body becomes a tensor when type and length fit") {
  const Made made(post("application/octet-stream", "abcdef"));
  CHECK(made.request.tensor().value().shape() == Shape{6});
  CHECK(made.request.tensor(DType::u8, {2, 3}).value().data<std::uint8_t>()[5] == 'f');
  CHECK(made.request.tensor(DType::u8, {7}).error().code() == Errc::invalid_argument);
  CHECK(made.request.tensor(DType::f32, {2}).error().code() == Errc::invalid_argument);
  const Made other(post("image/png", "abc"));
  CHECK(other.request.tensor().error().code() == Errc::invalid_argument);
}

TEST_CASE("a JSON body is read strictly, and says where it is wrong") {
  const auto read = [](std::string_view type, std::string_view body) {
    const Made made(post(type, body));
    return request_json(made.request);
  };
  CHECK(read("application/json", R"({"a":[1,2]})").value()["a"][1] == 2);
  CHECK(read("application/problem+json", "1").value() == 1);
  CHECK(read("text/plain", "1").error().code() == Errc::invalid_argument);
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {R"({"a":1,"a":2})"sv, "{\"a\":1}\0{}"sv, "NaN"sv, "[1,]"sv, "\"\xff\""sv, ""sv, "1 2"sv}) {
    const Result<nlohmann::json> value = read("application/json", bad);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().code() == Errc::malformed);
    CHECK(value.error().message().find("byte") != std::string::npos);
  }
  CHECK_FALSE(read("application/json", std::string(65, '[') + std::string(65, ']')).ok());
}

TEST_CASE("text that is JSON already is not encoded again") {
  CHECK(json("{}").body() == "{}");
  CHECK(json(std::string("{}")).body() == "{}");
  CHECK(json(std::string_view("{}")).body() == "{}");
  CHECK(json(nlohmann::json{{"a", "\xff"}}).body() == "{\"a\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace aiserve::http
