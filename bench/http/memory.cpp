// http.idle_kib_per_conn, ws.idle_kib_per_conn, http.slow_reader_rss_ratio: what connections that
// do nothing, or read nothing, cost the server process in resident memory.
#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include <sys/resource.h>

#include "http/groups.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

constexpr int kIdle = 10'000;
constexpr int kReaders = 64;
constexpr double kStreamBufferKib = 256;  // of the /stream route in bare.cpp

// Its limit of open files goes over to the programs that it starts.
void raise_open_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < kIdle + 100) throw std::runtime_error("the limit of open files is too low");
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

double growth_kib(const Command& client, const std::function<double(const Subject&)>& settled) {
  Subject subject({BENCH_BARE, "@PORT@"});
  subject.start();
  subject.http(64, {});  // what the first requests allocate
  const auto before = static_cast<double>(subject.server().resident_kib());
  const std::uint16_t port = free_port();
  Command command{client.front(), std::to_string(subject.port())};
  command.insert(command.end(), client.begin() + 1, client.end());
  command.push_back(std::to_string(port));
  Server clients(command);
  clients.wait_for_port(port);
  return settled(subject) - before;
}

double now_kib(const Subject& subject) {
  return static_cast<double>(subject.server().resident_kib());
}

// The most in a second: the streams have filled what there is to fill.
double most_kib(const Subject& subject) {
  double most = 0;
  for (const double until = seconds_now() + 1; seconds_now() < until;) {
    most = std::max(most, now_kib(subject));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return most;
}

Group idle_group(const std::string& prefix, const std::string& kind) {
  const std::string key = prefix + ".idle_kib_per_conn";
  return {.name = key,
          .keys = {{.name = key, .unit = "KiB", .at_most = 6}},
          .begin = raise_open_files,
          .round = [=](Sample& sample) {
            const Command client{BENCH_IDLE, std::to_string(kIdle), kind};
            sample.set(key, growth_kib(client, now_kib) / kIdle);
          }};
}

Group slow_reader_group() {
  const std::string key = "http.slow_reader_rss_ratio";
  return {.name = key,
          .keys = {{.name = key, .unit = "ratio", .at_most = 1.2}},
          .round = [=](Sample& sample) {
            const Command client{BENCH_SLOW, std::to_string(kReaders), "/stream"};
            sample.set(key, growth_kib(client, most_kib) / (kReaders * kStreamBufferKib));
          }};
}

}  // namespace

std::vector<Group> memory_groups(const Options&) {
  return {idle_group("http", "http"), idle_group("ws", "ws"), slow_reader_group()};
}

}  // namespace bench
