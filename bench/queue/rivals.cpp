// queue.*.ratio_vs_*
#include <filesystem>

#include "harness/process.hpp"
#include "queue/groups.hpp"
#include "queue/postgres_place.hpp"
#include "queue/subject.hpp"

namespace bench {
namespace {

std::string script(const char* name) {
  return std::string(AISERVE_ROOT) + "/bench/rivals/queue/" + name;
}

void need_npm_packages() {
  if (std::filesystem::exists(script("node_modules"))) return;
  throw std::runtime_error("run npm ci in bench/rivals/queue");
}

double rate_of(const Command& command, const Environment& environment) {
  return std::stod(run_checked(command, environment).output);
}

/// Redis on a free port, in a folder of its own.
class Redis {
 public:
  explicit Redis(bool durable)
      : port_(free_port()),
        server_({"redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir",
                 folder_.file(""), "--save", "", "--appendonly", durable ? "yes" : "no",
                 "--appendfsync", "always"}) {
    server_.wait_for_port(port_);
  }
  Environment environment() const { return {{"REDIS_PORT", std::to_string(port_)}}; }

 private:
  const Folder folder_;
  const std::uint16_t port_;
  Server server_;
};

double ours_in_postgres(int count) {
  return drain_per_s(in_new_database(), static_cast<std::size_t>(count), count);
}

Group bullmq_group(int count) {
  return {.name = "vs_bullmq",
          .keys = {{.name = "queue.sqlite.ratio_vs_bullmq_aof", .unit = "ratio", .at_least = 5},
                   {.name = "queue.sqlite.jobs_per_s", .unit = "jobs/s"},
                   {.name = "queue.bullmq_aof_per_s", .unit = "jobs/s"}},
          .begin = need_npm_packages,
          .round = [count](Sample& sample) {
            const Redis redis(true);
            const double theirs =
                rate_of({"node", script("bullmq.mjs"), std::to_string(count)}, redis.environment());
            const Folder folder;
            const double ours = drain_per_s(in_file(folder.file("jobs.db")),
                                            static_cast<std::size_t>(count), count);
            sample.set("queue.bullmq_aof_per_s", theirs);
            sample.set("queue.sqlite.jobs_per_s", ours);
            sample.set("queue.sqlite.ratio_vs_bullmq_aof", ours / theirs);
          }};
}

Group graphile_group(int count) {
  return {.name = "vs_graphile",
          .keys = {{.name = "queue.pg.ratio_vs_graphile_tuned", .unit = "ratio", .at_least = 1},
                   {.name = "queue.pg.ratio_vs_pgboss_batched", .unit = "ratio"},
                   {.name = "queue.graphile_tuned_per_s", .unit = "jobs/s"},
                   {.name = "queue.pgboss_batched_per_s", .unit = "jobs/s"}},
          .begin = need_npm_packages,
          .round = [count](Sample& sample) {
            const auto rival = [count](const char* name) {
              return rate_of({"node", script(name), std::to_string(count)},
                             environment_of_new_database());
            };
            const double graphile = rival("graphile.mjs");
            const double ours = ours_in_postgres(count);
            const double pgboss = rival("pgboss.mjs");
            sample.set("queue.graphile_tuned_per_s", graphile);
            sample.set("queue.pgboss_batched_per_s", pgboss);
            sample.set("queue.pg.ratio_vs_graphile_tuned", ours / graphile);
            sample.set("queue.pg.ratio_vs_pgboss_batched", ours / pgboss);
          }};
}

Group celery_group(int count) {
  return {.name = "vs_celery",
          .keys = {{.name = "queue.pg.ratio_vs_celery", .unit = "ratio", .at_least = 8},
                   {.name = "queue.celery_per_s", .unit = "jobs/s"}},
          .round = [count](Sample& sample) {
            const Redis redis(false);
            Environment environment = redis.environment();
            environment["PYTHONPATH"] = script("");
            const double theirs =
                rate_of({"/usr/bin/python3", script("drive_celery.py"), std::to_string(count / 4)},
                        environment);
            const double ours = ours_in_postgres(count);
            sample.set("queue.celery_per_s", theirs);
            sample.set("queue.pg.ratio_vs_celery", ours / theirs);
          }};
}

}  // namespace

std::vector<Group> rival_groups(const Options& options) {
  const int count = options.quick ? 5'000 : 20'000;
  return {bullmq_group(count), graphile_group(count), celery_group(count)};
}

}  // namespace bench
