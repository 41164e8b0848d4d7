// http.typed_full: a typed coroutine handler behind authentication, a rate limit, metrics and a
// trace, and the epoll floor with the very same requests.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "aiserve/core/id.hpp"
#include "http/groups.hpp"
#include "http/subject.hpp"
#include "unit/security/signer.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;
using aiserve::testing::Signer;

// An issuer's key in a file, and a token signed with it.
struct Issuer {
  Issuer() { std::ofstream(path) << aiserve::testing::jwks(key); }
  ~Issuer() { fs::remove(path); }
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;

  std::string token() const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return key.sign(aiserve::testing::good_claims(
        std::chrono::duration_cast<std::chrono::seconds>(now).count()));
  }

  Signer key = Signer::rsa("rsa");
  std::string path = fs::temp_directory_path() / ("bench_jwks_" + aiserve::make_id() + ".json");
};

struct Subjects {
  Issuer issuer;
  Subject floor{{BENCH_FLOOR, "@PORT@"}};
  Subject typed{{BENCH_TYPED, "@PORT@", issuer.path}};
};

Command shape(const Issuer& issuer) {
  return {"--post",   "200",
          "--path",   "/items/4711",
          "--header", "Authorization: Bearer " + issuer.token(),
          "--header", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
}

void round(Sample& sample, Subjects& subjects, std::uint64_t requests) {
  const Command load = shape(subjects.issuer);
  const Cost floor = subjects.floor.http(requests, load);
  const Cost typed = subjects.typed.http(requests, load);
  sample.set("http.user_us_over_floor.typed_full", typed.user_us - floor.user_us);
  sample.set("http.user_us.typed_full", typed.user_us);
  sample.set("http.cpu_us.typed_full", typed.cpu_us);
  sample.set("http.requests_per_s.typed_full", typed.per_second);
}

}  // namespace

std::vector<Group> typed_full_groups(const Options& options) {
  const std::uint64_t requests = options.quick ? 100'000 : 300'000;
  const auto subjects = std::make_shared<std::unique_ptr<Subjects>>();
  return {{.name = "http.typed_full",
           .keys = {{.name = "http.user_us_over_floor.typed_full", .unit = "us", .at_most = 6},
                    {.name = "http.user_us.typed_full", .unit = "us"},
                    {.name = "http.cpu_us.typed_full", .unit = "us"},
                    {.name = "http.requests_per_s.typed_full", .unit = "/s"}},
           .begin =
               [subjects] {
                 *subjects = std::make_unique<Subjects>();
                 (*subjects)->floor.start();
                 (*subjects)->typed.start();
               },
           .round = [subjects, requests](Sample& sample) { round(sample, **subjects, requests); },
           .end = [subjects] { subjects->reset(); }}};
}

}  // namespace bench
