#include "tuner/http_text.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "tuner/usage_error.hpp"

using namespace tuner;

TEST_CASE("a URL has host, port and path, the last two optional") {
  CHECK(parse_url("http://localhost") == Url{"localhost", 80, "/"});
  CHECK(parse_url("http://10.0.0.1:8080/v1/a?b=c") == Url{"10.0.0.1", 8080, "/v1/a?b=c"});
}

TEST_CASE("what is no http URL is refused") {
  for (const char* text :
       {"", "localhost", "https://a/", "http://", "http://:80/", "http://a:0/", "http://a:b/"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_url(text), UsageError);
  }
}

TEST_CASE("a request says how long its body is and may carry a header") {
  const Url url{"h", 8080, "/x"};
  CHECK(post_request(url, "text/plain", "abc") ==
        "POST /x HTTP/1.1\r\nHost: h:8080\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
        "\r\nabc");
  CHECK(post_request(url, "text/plain", "", "X-Tenant: a").find("\r\nX-Tenant: a\r\n\r\n") !=
        std::string::npos);
}

TEST_CASE("a response is complete when its whole body is there") {
  const std::string text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
  for (std::size_t part = 0; part < text.size(); ++part) {
    CHECK(read_response(std::string_view(text).substr(0, part)).size == 0);
  }
  const std::string and_more = text + "HTTP/1.1";
  const ResponseText response = read_response(and_more);
  CHECK(response.size == text.size());
  CHECK(response.status == 200);
  CHECK(response.body == "hello");
  CHECK(response.keeps_open);
}

TEST_CASE("a response may end its connection") {
  const auto response =
      read_response("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK_FALSE(response.keeps_open);
  CHECK(answer_of(response).outcome == Outcome::refused);
}

TEST_CASE("what is no response is an error") {
  CHECK_THROWS_AS(read_response("HTTP/1.1 200 OK\r\n\r\n"), std::runtime_error);
  CHECK_THROWS_AS(read_response("SSH-2.0-x\r\n\r\n"), std::runtime_error);
  CHECK_THROWS_AS(read_response(std::string(70'000, 'x')), std::runtime_error);
}

TEST_CASE("the status tells the outcome and the body the batch") {
  ResponseText response{1, 200, true, R"({"batch":{"id":5,"size":32,"position":0}})"};
  CHECK(answer_of(response).outcome == Outcome::ok);
  CHECK(answer_of(response).batch_rows == 32);
  CHECK(answer_of(response).leads_batch);
  response.body = R"({"batch":{"id":5,"size":32,"position":7}})";
  CHECK_FALSE(answer_of(response).leads_batch);
  response.body = "plain";
  CHECK(answer_of(response).batch_rows == 0);
  response.status = 504;
  CHECK(answer_of(response).outcome == Outcome::expired);
  response.status = 500;
  CHECK(answer_of(response).outcome == Outcome::failed);
}
