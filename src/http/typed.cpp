#include "aiserve/http/typed.hpp"

#include "aiserve/core/context.hpp"
#include "aiserve/http/typed_json.hpp"
#include "core/json_text.hpp"
#include "http/json_decoder.hpp"
#include "http/operation_body.hpp"
#include "http/parameters.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

const Checks kNoChecks;

bool says_json(const Request& request) {
  constexpr std::string_view kJson = "application/json";
  if (request.header("content-type") == kJson) return true;
  const std::string type = request.content_type();
  return type == kJson || type.ends_with("+json");
}

// RFC 9457 with `errors`, as in its section 3.
Response invalid(const Context& ctx, const FieldErrors& errors) {
  const ErrcTraits& row = traits(Errc::invalid_argument);
  v0::detail::JsonText json;
  json.begin_object();
  json.key("type").string(row.problem_type);
  json.key("title").string(row.title);
  json.key("status").number(row.http_status);
  json.key("detail").string(errors.summary());
  json.key("request_id").string(ctx.request_id());
  json.key("errors").begin_array();
  for (const FieldError& error : errors.all()) {
    const bool in_body = error.source == Source::member;
    json.begin_object().key("in").string(to_string(error.source));
    json.key(in_body ? "pointer" : "name").string(error.where);
    json.key("detail").string(error.problem).end_object();
  }
  json.end_array().end_object();
  Response response(row.http_status);
  response.body(std::move(json).text(), "application/problem+json");
  return response;
}

void check_invariants(const ObjectType& object, FieldErrors& errors, const void* value) {
  for (const Invariant& invariant : object.invariants) {
    if (!invariant.holds(value) && !errors.add(Step{}, invariant.message)) return;
  }
}

std::optional<Response> read_body(const OperationBody& body, const TypedOperation& operation,
                                  const Context& ctx, const Request& request, FieldErrors& errors,
                                  void* input) {
  const std::string_view text = request.text();
  if (text.empty() && !body.required) return std::nullopt;
  if (text.empty()) return problem(ctx, Error(Errc::malformed, "a JSON body is needed"));
  if (!says_json(request)) {
    return problem(ctx, 415, "the body must be application/json");
  }
  JsonReader reader(text, operation.options.limits);
  const Checks& checks = body.checks == nullptr ? kNoChecks : *body.checks;
  void* const value = static_cast<char*>(input) + body.offset;
  const bool whole = JsonDecoder(reader, errors).read(*body.type, checks, Step{}, value);
  if (whole) reader.finish();
  if (reader.failed()) return problem(ctx, reader.error());
  return std::nullopt;
}

}  // namespace

std::optional<Response> read_request(const TypedOperation& operation, const Context& ctx,
                                     const Request& request, void* input) {
  if (operation.input == nullptr) return std::nullopt;
  const JsonLimits& limits = operation.options.limits;
  const DescribedType& type = operation.input();
  const auto* const object = std::get_if<ObjectType>(&type.of);
  FieldErrors errors(limits.max_problems);
  bool room = object == nullptr || read_parameters(*object, request, limits, errors, input);
  const OperationBody body = body_of(type);
  if (room && body.type != nullptr) {
    if (auto refused = read_body(body, operation, ctx, request, errors, input)) return refused;
  }
  // Of an object that is the body itself the decoder has done it.
  const bool apart = object != nullptr && (body.type != &type || request.text().empty());
  if (apart && errors.empty()) check_invariants(*object, errors, input);
  if (errors.empty()) return std::nullopt;
  return invalid(ctx, errors);
}

Result<Response> write_answer(const TypedOperation& operation, const void* output) {
  if (output == nullptr) return Response(operation.options.status);
  Result<std::string> text = write_text(operation.output(), output);
  if (!text) return text.error();
  return json(*std::move(text)).status(operation.options.status);
}

}  // namespace aiserve::inline v0::http::detail
