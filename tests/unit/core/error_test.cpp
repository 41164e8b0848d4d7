#include "aiserve/core/error.hpp"

#include <set>

#include <doctest/doctest.h>

#include "aiserve/core/result.hpp"

using namespace aiserve;

TEST_CASE("every error code has one row with its own label and problem type") {
  std::set<std::string_view> labels;
  std::set<std::string_view> types;
  for (const ErrcTraits& row : all_errc_traits()) {
    CHECK(&traits(row.code) == &row);
    CHECK(labels.insert(row.label).second);
    CHECK(types.insert(row.problem_type).second);
    CHECK(row.http_status >= 400);
  }
  CHECK(labels.size() == 16);
}

TEST_CASE("the codes map to the HTTP statuses of the table") {
  CHECK(traits(Errc::malformed).http_status == 400);
  CHECK(traits(Errc::invalid_argument).http_status == 422);
  CHECK(traits(Errc::overloaded).http_status == 503);
  CHECK(traits(Errc::deadline_exceeded).http_status == 504);
  CHECK(traits(Errc::cancelled).http_status == 499);
  CHECK_FALSE(traits(Errc::invalid_argument).retryable);
  CHECK(traits(Errc::overloaded).retryable);
}

TEST_CASE("an error shows its message to callers and its detail to the log only") {
  const Error error = Error(Errc::unavailable, "try later")
                          .with_detail("connect to 10.0.0.7 refused")
                          .retry_after(std::chrono::milliseconds(50));
  CHECK(error.message() == "try later");
  CHECK(error.to_string() == "unavailable: try later (connect to 10.0.0.7 refused)");
  CHECK(error.retry_after() == std::chrono::milliseconds(50));
  CHECK_FALSE(Error(Errc::internal, "x").retry_after());
}

TEST_CASE("a default result is an internal error, never a success") {
  const Result<int> number;
  CHECK_FALSE(number.ok());
  CHECK(number.error().code() == Errc::internal);
  CHECK_FALSE(Result<void>().ok());
  CHECK(success().ok());
}

TEST_CASE("value() gives the value or throws the error") {
  Result<std::string> text = std::string("hello");
  CHECK(text.value() == "hello");
  CHECK(*text == "hello");
  CHECK(std::move(text).value() == "hello");
  const Result<std::string> failed = Error(Errc::not_found, "no such job");
  CHECK(failed.value_or("none") == "none");
  try {
    (void)failed.value();
    FAIL("value() of an error returned");
  } catch (const ResultError& error) {
    CHECK(error.error().code() == Errc::not_found);
    CHECK(std::string(error.what()) == "no such job");
  }
}

TEST_CASE("exceptions become errors that keep what they say out of the message") {
  const auto caught = [](auto thrown) {
    try {
      throw thrown;
    } catch (...) {
      return error_from_current_exception();
    }
  };
  const Error from_std = caught(std::runtime_error("password=hunter2"));
  CHECK(from_std.code() == Errc::internal);
  CHECK(from_std.message() == "internal error");
  CHECK(from_std.detail() == "password=hunter2");
  CHECK(caught(ResultError(Error(Errc::conflict, "busy"))).code() == Errc::conflict);
  CHECK(caught(42).code() == Errc::internal);
}
