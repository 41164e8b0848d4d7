#include "postgres/enqueue_line.hpp"

#include <doctest/doctest.h>

using namespace aiserve;
using pg::EnqueueLine;
using pg::EnqueueRequest;
using pg::EnqueueRequestPtr;

namespace {

EnqueueRequestPtr request(const char* tenant, const char* kind = "kind", std::size_t count = 1,
                          const char* key = nullptr) {
  NewJob job(TenantId(tenant), kind, Bytes());
  if (key != nullptr) job.unique = JobUnique(key);
  const std::vector<NewJob> jobs(count, job);
  return detail::make_intrusive<EnqueueRequest>(jobs);
}

/// Tenants and kinds, in their order.
std::string names(const EnqueueLine::Requests& requests) {
  std::string all;
  for (const EnqueueRequestPtr& one : requests) {
    all += std::string(one->jobs.front().tenant.view()) + one->jobs.front().kind + ' ';
  }
  return all;
}

}  // namespace

TEST_CASE("calls that wait for a transaction are taken in turns of their tenants") {
  EnqueueLine line;
  for (const char* tenant : {"a", "a", "a", "b", "c", "b"}) line.push(request(tenant, "1"));
  CHECK(line.size() == 6);
  CHECK(names(line.take_many()) == "a1 b1 c1 a1 b1 a1 ");
  CHECK(line.size() == 0);
  CHECK(line.take_many().empty());
  CHECK(line.take_of_one_queue().empty());
}

TEST_CASE("what may wait for a lock takes calls of one queue, those with keys alone") {
  EnqueueLine line;
  line.push(request("a", "1"));
  line.push(request("a", "1"));
  line.push(request("a", "2"));
  line.push(request("a", "2", 1, "key"));
  line.push(request("a", "2"));
  line.push(request("b", "1"));
  CHECK(names(line.take_of_one_queue()) == "a1 a1 ");
  CHECK(names(line.take_of_one_queue()) == "b1 ");
  CHECK(names(line.take_of_one_queue()) == "a2 ");
  CHECK(names(line.take_of_one_queue()) == "a2 ");
  CHECK(names(line.take_of_one_queue()) == "a2 ");
  CHECK(line.size() == 0);
}

TEST_CASE("a transaction takes some thousand jobs at most, but one call however large it is") {
  EnqueueLine line;
  for (int i = 0; i < 3; ++i) line.push(request("a", "1", 600));
  CHECK(line.take_many().size() == 2);
  for (int i = 0; i < 3; ++i) line.push(request("a", "1", 600));
  CHECK(line.take_of_one_queue().size() == 2);
  CHECK(line.take_many().size() == 2);
  line.push(request("a", "1", 5'000));
  line.push(request("a", "1"));
  CHECK(line.take_of_one_queue().size() == 1);
}

TEST_CASE("a call is taken out of the line wherever it is, and its tenant's turn with it") {
  EnqueueLine line;
  const EnqueueRequestPtr first = request("a");
  const EnqueueRequestPtr second = request("a");
  const EnqueueRequestPtr other = request("b");
  const auto none = detail::make_intrusive<EnqueueRequest>(std::vector<NewJob>());
  for (const EnqueueRequestPtr& one : {first, second, other, none}) line.push(one);
  CHECK(line.remove(second));
  CHECK_FALSE(line.remove(second));
  CHECK(line.remove(first));
  CHECK(line.take_of_one_queue().front() == other);
  CHECK(line.take_of_one_queue().front() == none);
  CHECK_FALSE(line.remove(none));
  CHECK(line.size() == 0);
}
