// Asks several services at once, and answers with what has come in time.
//
//   08_client & curl http://127.0.0.1:8080/prices/tea
//
// The shops are played by this program itself; one of them is slow, and one is down.
#include <aiserve/http/client.hpp>
#include <aiserve/http/server.hpp>

namespace http = aiserve::http;
using namespace aiserve;
using namespace std::chrono_literals;

namespace {

http::ServerOptions shop(std::string name) {
  return {.address = "127.0.0.1", .port = 0, .name = std::move(name)};
}

void sell(http::Server& server, Duration takes) {
  server.get("/price/{item}",
             [takes](const Context& ctx, const http::Request& request) -> Async<http::Response> {
               const Result<void> slept = co_await sleep(ctx, takes);
               if (!slept) co_return slept.error();
               co_return http::text(std::to_string(request.param("item").size()) + ".50");
             });
}

// The price, or why there is none: one shop's failure is not that of the whole.
Async<std::string> price(const Context& ctx, http::Client& client, const http::Server& at,
                         std::string_view item) {
  const std::string origin = "http://127.0.0.1:" + std::to_string(at.port());
  http::ClientRequest request(http::Method::get, origin + "/price/" + std::string(item));
  request.timeout(300ms);
  const Result<http::ClientResponse> answer = co_await client.send(ctx, request);
  if (!answer) co_return answer.error().message();
  co_return answer->ok() ? answer->body().to_string()
                         : "status " + std::to_string(answer->status());
}

}  // namespace

int main() try {
  Runtime runtime;
  http::Server quick(runtime, shop("quick"));
  http::Server slow(runtime, shop("slow"));
  http::Server broken(runtime, shop("broken"));
  sell(quick, 5ms);
  sell(slow, 1h);
  http::Client client(runtime, {.name = "shops", .allow_addresses = {"127.0.0.1"}});

  http::Server front(runtime, {.port = 8080, .name = "front"});
  front.get(
      "/prices/{item}",
      [&](const Context& ctx, const http::Request& request) -> Async<http::Response> {
        const std::string item(request.param("item"));
        const auto ask_quick = [&](const Context& c) { return price(c, client, quick, item); };
        const auto ask_slow = [&](const Context& c) { return price(c, client, slow, item); };
        const auto ask_broken = [&](const Context& c) { return price(c, client, broken, item); };
        const auto prices = co_await all(ctx, ask_quick, ask_slow, ask_broken);
        if (!prices) co_return prices.error();
        const auto& [first, second, third] = *prices;
        co_return http::text("quick: " + first + "\nslow: " + second + "\nbroken: " + third + "\n");
      });
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
