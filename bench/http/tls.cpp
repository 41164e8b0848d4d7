// http.tls_*: GET over TLS 1.3 on 64 keep-alive connections against the same in plain, ours and
// nginx's; wrk is the client.
#include <filesystem>
#include <memory>

#include <unistd.h>

#include "http/groups.hpp"
#include "http/rivals.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;

struct Certificate {
  fs::path directory = fs::temp_directory_path() / ("bench_http." + std::to_string(::getpid()));
  std::string certificate = directory / "tls.crt";
  std::string key = directory / "tls.key";

  Certificate() {
    require_program("openssl");
    fs::create_directories(directory);
    run_checked({"sh", "-c",
                 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                 "-days 2 -subj /CN=127.0.0.1 -keyout " +
                     key + " -out " + certificate + " 2>&1"});
  }
  ~Certificate() { fs::remove_all(directory); }
};

struct State {
  Certificate files;
  Subject ours{{BENCH_BARE, "@PORT@"}};
  Subject ours_tls{{BENCH_BARE, "@PORT@", files.certificate, files.key}};
  Subject nginx{rivals::nginx()};
  Subject nginx_tls{rivals::nginx_tls(files.certificate, files.key)};
};

void round(Sample& sample, State& state, int seconds) {
  const double ours = state.ours.wrk("http", "/plaintext", seconds).cpu_us;
  const double ours_tls = state.ours_tls.wrk("https", "/plaintext", seconds).cpu_us;
  const double nginx = state.nginx.wrk("http", "/plaintext", seconds).cpu_us;
  const double nginx_tls = state.nginx_tls.wrk("https", "/plaintext", seconds).cpu_us;
  sample.set("http.tls_cpu_ratio_vs_nginx", (ours_tls / ours) / (nginx_tls / nginx));
  sample.set("http.tls_cpu_us.ours", ours_tls);
  sample.set("http.tls_cpu_us.nginx", nginx_tls);
  sample.set("http.tls_plain_cpu_us.ours", ours);
  sample.set("http.tls_plain_cpu_us.nginx", nginx);
}

}  // namespace

std::vector<Group> tls_groups(const Options& options) {
  const auto state = std::make_shared<std::unique_ptr<State>>();
  const int seconds = options.quick ? 1 : 3;
  return {{.name = "http.tls",
           .keys = {{.name = "http.tls_cpu_ratio_vs_nginx", .unit = "ratio", .at_most = 1.1},
                    {.name = "http.tls_cpu_us.ours", .unit = "us"},
                    {.name = "http.tls_cpu_us.nginx", .unit = "us"},
                    {.name = "http.tls_plain_cpu_us.ours", .unit = "us"},
                    {.name = "http.tls_plain_cpu_us.nginx", .unit = "us"}},
           .begin =
               [state] {
                 require_program("wrk");
                 *state = std::make_unique<State>();
                 for (Subject* each : {&(*state)->ours, &(*state)->ours_tls, &(*state)->nginx,
                                       &(*state)->nginx_tls}) {
                   each->start();
                 }
               },
           .round = [=](Sample& sample) { round(sample, **state, seconds); },
           .end = [state] { state->reset(); }}};
}

}  // namespace bench
