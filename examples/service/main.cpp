// The reference service: Fashion-MNIST behind aiserve's batcher and HTTP server. See --help.

#include <aiserve/core/runtime.hpp>
#include <aiserve/core/telemetry.hpp>
#include <aiserve/http/health.hpp>
#include <aiserve/http/metrics.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/status.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/torch/torch_model.hpp>

#include <cstdio>

#include <unistd.h>

#include "announce.hpp"
#include "command_line.hpp"
#include "model_card.hpp"
#include "routes.hpp"

using namespace aiserve;
using service::Config;

namespace {

int serve(const Config& config) {
  Telemetry telemetry({.service = "fashion", .log_level = config.log_level});
  Runtime runtime({.io_threads = config.io_threads,
                   .drain_delay = config.drain_delay,
                   .drain_timeout = config.drain_timeout,
                   .telemetry = &telemetry});

  const fashion::Dataset images = fashion::load(config.data, fashion::Split::held_out);
  TorchModel model({.path = config.model,
                    .signature_path = config.signature,
                    .instances = config.instances,
                    .telemetry = &telemetry});
  Batcher batcher(runtime, model, {.max_batch = config.max_batch, .max_queue = config.max_queue});

  service::RideRecorder recorder;
  service::Fire fire(runtime, batcher, images, recorder);
  service::Live live(runtime, batcher, recorder, fire);

  http::Server server(runtime, {.address = config.address,
                                .port = config.port,
                                .name = "service",
                                .max_connections = config.max_connections,
                                .request_timeout = config.request_deadline});
  service::add_api(server, {runtime, batcher, images, recorder, fire, live},
                   service::info_json({.model_file = config.model,
                                       .model_sha256 = model.sha256(),
                                       .blas = model.blas().name,
                                       .instances = model.instances(),
                                       .max_batch = config.max_batch},
                                      model.metadata()));
  service::add_page(server);
  server.get("/health/live", http::live()).get("/health/ready", http::ready(runtime));

  http::Server admin(runtime,
                     {.address = config.admin_address, .port = config.admin_port, .name = "admin"});
  service::protect(admin, config.admin_token);
  admin.get("/metrics", http::metrics(telemetry)).get("/status", http::status(runtime));
  admin.get("/health/live", http::live()).get("/health/ready", http::ready(runtime));

  const auto announced = service::announce(runtime, config, server, admin);
  return runtime.run();
}

}  // namespace

int main(int argc, char** argv) try {
  const service::Command command = service::parse_command(argc, argv, environ);
  if (!command.answer) return serve(command.config);
  std::fputs(command.answer->c_str(), stdout);
  return 0;
} catch (const ConfigError& error) {
  return report(error);  // one line on stderr, exit status 2
} catch (const fashion::DataError& error) {
  return report(ConfigError(error.what()));
}
