// json_server: what stands against the FastAPI micro-batcher: the same model behind the same JSON.
//
//   bench_json_server PORT MODEL.pt MAX_BATCH
//
// POST /predict {"input": [784 numbers]} -> {"output": [10 numbers]}. One instance.
#include <aiserve/http/json.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/torch/torch_model.hpp>

#include <cstdlib>

using namespace aiserve;

namespace {

Async<http::Response> predict(Batcher& batcher, const Context& ctx, const http::Request& request) {
  const Result<nlohmann::json> body = http::request_json(request);
  if (!body) co_return body.error();
  const auto row = body->at("input").get<std::vector<float>>();
  const Result<Tensor> input =
      Tensor::from<float>(Shape{static_cast<std::int64_t>(row.size())}, std::span(row));
  if (!input) co_return input.error();
  const Result<Tensor> output = co_await batcher.infer(ctx, *input);
  if (!output) co_return output.error();
  const std::span<const float> values = output->data<float>();
  co_return http::json({{"output", std::vector<float>(values.begin(), values.end())}});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw ConfigError("usage: bench_json_server PORT MODEL.pt MAX_BATCH");
  TorchModel model({.path = argv[2], .instances = 1});
  Runtime runtime;
  Batcher batcher(runtime, model, {.max_batch = static_cast<std::size_t>(std::atoi(argv[3]))});
  http::Server server(runtime, {.port = static_cast<std::uint16_t>(std::atoi(argv[1]))});
  server.post("/predict", [&](const Context& ctx, const http::Request& request) {
    return predict(batcher, ctx, request);
  });
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
