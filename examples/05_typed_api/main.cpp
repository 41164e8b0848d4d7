// 05_typed_api [PORT]: an API of structs, with its documentation at /docs. Its token is "biscuit".
//
//   curl -H 'Authorization: Bearer biscuit' -H 'Content-Type: application/json'
//        -d '{"name":"Rex","species":{"kind":"dog","trick":"roll"}}' localhost:8080/v1/pets
#include <aiserve/http/middleware.hpp>
#include <aiserve/http/openapi.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/typed.hpp>

#include <cstdlib>

#include "shelter.hpp"

using namespace aiserve;

namespace {

Result<void> check_token(Context&, const http::Request& request) {
  if (request.header("Authorization") == "Bearer biscuit") return success();
  return Error(Errc::unauthenticated, "the token is \"biscuit\"");
}

}  // namespace

int main(int argc, char** argv) try {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  Runtime runtime;
  Shelter shelter;

  http::Server server(runtime, {.port = port});
  server.before(http::under("/v1", check_token));
  server.post("/v1/pets",
              http::typed([&](const Context&, NewPet in) { return shelter.add(std::move(in)); },
                          {.status = 201, .summary = "Take in a pet", .operation_id = "addPet"}));
  server.get("/v1/pets",
             http::typed([&](const Context&, const ListPets& in) { return shelter.list(in); },
                         {.summary = "Who is there", .operation_id = "listPets"}));
  server.get("/v1/pets/{id}",
             http::typed([&](const Context&, const PetId& in) { return shelter.get(in.id); },
                         {.summary = "One pet", .operation_id = "getPet"}));
  server.del("/v1/pets/{id}",
             http::typed([&](const Context&, const PetId& in) { return shelter.remove(in.id); },
                         {.summary = "A pet has found a home", .operation_id = "removePet"}));

  server.get("/openapi.json", http::openapi(server, {.title = "Pet shelter",
                                                     .version = "1.0.0",
                                                     .description = "Pets that look for a home.",
                                                     .security = {{.name = "token"}}}));
  server.get("/docs", http::docs_page("/openapi.json"));
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
