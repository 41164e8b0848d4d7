#include "tuner/measuring.hpp"

#include <ctime>
#include <fstream>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "tuner/closed_loop.hpp"
#include "tuner/http_target.hpp"
#include "tuner/open_loop.hpp"
#include "tuner/run_file.hpp"
#include "tuner/subject.hpp"

namespace tuner {
namespace {

ArrivalPlan plan_of(const Arguments& arguments) {
  ArrivalPlan plan;
  plan.kind = arguments.open.value_or(ArrivalKind::poisson);
  plan.on_seconds = arguments.on_seconds;
  plan.off_seconds = arguments.off_seconds;
  if (!arguments.arrivals_file.empty()) {
    plan.recorded = parse_arrival_file(read_text(arguments.arrivals_file));
  }
  return plan;
}

std::vector<Arrival> arrivals_of(const Arguments& arguments, double per_second, int repeat) {
  const double seconds = static_cast<double>(arguments.warm_up + arguments.seconds) * 1e-9;
  const std::uint64_t seed = arguments.seed * 1'000'003 + static_cast<std::uint64_t>(repeat) * 101;
  const ArrivalPlan plan = plan_of(arguments);
  std::vector<std::vector<Nanos>> streams;
  for (const TenantLoad& tenant : arguments.tenants) {
    streams.push_back(make_arrivals(plan, tenant.per_second, seconds, seed + streams.size()));
  }
  if (streams.empty()) streams.push_back(make_arrivals(plan, per_second, seconds, seed));
  return merge_streams(streams);
}

std::unique_ptr<Target> make_http(const Arguments& arguments) {
  const std::string body = read_text(arguments.body_file);
  HttpTargetOptions options;
  options.url = *arguments.url;
  options.connections = arguments.connections;
  for (const TenantLoad& tenant : arguments.tenants) {
    options.requests.push_back({post_request(*arguments.url, arguments.content_type, body,
                                             arguments.tenant_header + ": " + tenant.name)});
  }
  if (options.requests.empty()) {
    options.requests.push_back({post_request(*arguments.url, arguments.content_type, body)});
  }
  return std::make_unique<HttpTarget>(std::move(options));
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace

std::string Load::name() const {
  return in_flight != 0 ? fmt::format("closed{}", in_flight)
                        : fmt::format("open{:.0f}", per_second);
}

std::unique_ptr<Target> make_target(const Arguments& arguments, const Setting& setting) {
  if (arguments.url) return make_http(arguments);
  SubjectOptions options;
  options.model = arguments.model;
  options.setting = setting;
  options.max_queue = arguments.max_queue;
  options.row_bytes = arguments.row_bytes;
  options.tenants = arguments.tenants;
  return std::make_unique<Subject>(options);
}

LoadResult measure(Target& target, const Arguments& arguments, const Load& load, int repeat) {
  LoadResult result;
  if (load.in_flight != 0) {
    result = closed_loop(target, load.in_flight, arguments.warm_up, arguments.seconds);
  } else {
    OpenLoopOptions options;
    options.warm_up = arguments.warm_up;
    options.measured = arguments.seconds;
    options.deadline = arguments.deadline;
    options.tenants = std::max<std::size_t>(1, arguments.tenants.size());
    result = open_loop(target, arrivals_of(arguments, load.per_second, repeat), options);
  }
  const TenantResult all = result.all();
  if (all.failed != 0) {
    throw MeasureError(
        fmt::format("{}: {} of {} requests failed", load.name(), all.failed, all.answered()));
  }
  if (all.ok == 0) throw MeasureError(load.name() + ": no request was answered");
  const std::string failure = load.in_flight != 0 ? std::string() : result.proof.failure();
  if (!failure.empty()) throw MeasureError(load.name() + ": " + failure);
  return result;
}

double seconds_of(const Arguments& arguments) {
  return static_cast<double>(arguments.warm_up + arguments.seconds) * 1e-9;
}

std::map<std::string, std::string> about(const Arguments& arguments,
                                         const std::string& command_line) {
  std::map<std::string, std::string> lines;
  lines["command"] = command_line;
  lines["date"] = fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
  lines["machine"] = fmt::format("{}, {} CPUs", cpu_name(), std::thread::hardware_concurrency());
  lines["compiler"] = __VERSION__;
  lines["subject"] = arguments.url ? fmt::format("http://{}:{}{}", arguments.url->host,
                                                 arguments.url->port, arguments.url->path)
                                   : arguments.model_text;
  lines["repeats"] = fmt::format("{} of {} after {} of warm-up", arguments.repeats,
                                 duration_text(static_cast<double>(arguments.seconds)),
                                 duration_text(static_cast<double>(arguments.warm_up)));
  return lines;
}

}  // namespace tuner
