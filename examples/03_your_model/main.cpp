// Serves any TorchScript file. Try it with the model that `scripts/demo` trained:
//
//   03_your_model fashion.pt --port 8080
//   curl -s localhost:8080/v1/model
//   curl -s localhost:8080/v1/infer -H 'Content-Type: application/octet-stream' --data-binary @row
#include <aiserve/http/health.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/torch/torch_model.hpp>

#include <cstdio>
#include <vector>

#include "arguments.hpp"
#include "infer.hpp"

using namespace aiserve;

int main(int argc, char** argv) try {
  const std::vector<const char*> words(argv + 1, argv + argc);
  const your_model::Arguments arguments = your_model::parse_arguments(words);
  if (arguments.help) return std::fputs(your_model::kUsage, stdout) < 0 ? 1 : 0;

  TorchModel model({.path = arguments.model, .signature_path = arguments.signature});
  Runtime runtime;
  Batcher batcher(runtime, model);
  http::Server server(runtime, {.port = arguments.port});

  server.post(
      "/v1/infer", [&](const Context& ctx, const http::Request& request) -> Async<http::Response> {
        const Result<TensorSet> inputs = your_model::read_inputs(model.signature(), request);
        if (!inputs) co_return inputs.error();
        const Result<TensorSet> outputs = co_await batcher.infer(ctx, *inputs);
        if (!outputs) co_return outputs.error();
        co_return your_model::answer(*outputs);
      });
  server.get("/v1/model",
             [&](const Context&, const http::Request&) { return your_model::describe(model); });
  server.get("/health/live", http::live()).get("/health/ready", http::ready(runtime));

  std::printf("%s %s on %s: http://127.0.0.1:%u/v1/infer\n", model.name().c_str(),
              model.signature().to_string().c_str(), model.blas().name.c_str(),
              static_cast<unsigned>(server.port()));
  std::fflush(stdout);
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
