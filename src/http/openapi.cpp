#include "aiserve/http/openapi.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "aiserve/http/server.hpp"
#include "core/json_text.hpp"
#include "http/field_errors.hpp"
#include "http/operation_body.hpp"
#include "http/pattern_names.hpp"
#include "http/schema_writer.hpp"

namespace aiserve::inline v0::http {
namespace detail {
namespace {

using v0::detail::JsonText;

// RFC 9457, with the list that typed handlers add.
constexpr std::string_view kProblem =
    R"({"type":"object","description":"What went wrong (RFC 9457).","properties":{)"
    R"("type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},)"
    R"("detail":{"type":"string"},"request_id":{"type":"string"},)"
    R"("errors":{"type":"array","items":{"type":"object","properties":{)"
    R"("in":{"type":"string","enum":["body","path","query","header"]},)"
    R"("pointer":{"type":"string"},"name":{"type":"string"},"detail":{"type":"string"}},)"
    R"("required":["in","detail"]}}},"required":["title","status"]})";
constexpr std::string_view kProblemResponse =
    R"({"description":"What went wrong.","content":{"application/problem+json":)"
    R"({"schema":{"$ref":"#/components/schemas/Problem"}}}})";

std::string lower_name(Method method) {
  std::string text(name(method));
  for (char& c : text) c = static_cast<char>(c | 0x20);
  return text;
}

// "/a/{id:int}/{rest...}" as OpenAPI has it: "/a/{id}/{rest}".
std::string plain_path(std::string_view pattern) {
  std::string path;
  bool inside = false;
  bool typed = false;  // behind the name of a parameter
  for (const char c : pattern) {
    if (c == '{') inside = true;
    if (c == '}') inside = typed = false;
    typed = typed || (inside && (c == ':' || c == '.'));
    if (!typed) path += c;
  }
  return path;
}

std::string slug(Method method, std::string_view pattern) {
  std::string id = lower_name(method);
  for (const char c : plain_path(pattern)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain) {
      id += c;
    } else if (id.back() != '_') {
      id += '_';
    }
  }
  while (id.back() == '_') id.pop_back();
  return id;
}

class Document {
 public:
  explicit Document(const OpenApiOptions& options) : options_(options) {}

  std::string write(const std::vector<RouteInfo>& routes) {
    json_.begin_object().key("openapi").string("3.1.0");
    head();
    std::map<std::string, std::vector<const RouteInfo*>> paths;
    for (const RouteInfo& route : routes) {
      if (route.operation != nullptr) paths[plain_path(route.pattern)].push_back(&route);
    }
    json_.key("paths").begin_object();
    for (const auto& [path, list] : paths) {
      json_.key(path).begin_object();
      for (const RouteInfo* route : list) {
        if (methods_.emplace(path, route->method).second) operation(*route);
      }
      json_.end_object();
    }
    json_.end_object();
    components();
    json_.end_object();
    return std::move(json_).text();
  }

 private:
  void text_if(std::string_view key, const std::string& text) {
    if (!text.empty()) json_.key(key).string(text);
  }

  void head() {
    json_.key("info").begin_object().key("title").string(options_.title);
    json_.key("version").string(options_.version);
    text_if("description", options_.description);
    json_.end_object();
    if (!options_.servers.empty()) {
      json_.key("servers").begin_array();
      for (const std::string& url : options_.servers) {
        json_.begin_object().key("url").string(url).end_object();
      }
      json_.end_array();
    }
    if (options_.security.empty()) return;
    json_.key("security").begin_array();
    for (const SecurityScheme& scheme : options_.security) {
      json_.begin_object().key(scheme.name).begin_array().end_array().end_object();
    }
    json_.end_array();
  }

  void operation(const RouteInfo& route) {
    const TypedOptions& options = route.operation->options;
    json_.key(lower_name(route.method)).begin_object();
    std::string id = options.operation_id;
    if (id.empty()) id = slug(route.method, route.pattern);
    const std::string first = id;
    for (int n = 2; !ids_.insert(id).second; ++n) id = first + "_" + std::to_string(n);
    json_.key("operationId").string(id);
    text_if("summary", options.summary);
    text_if("description", options.description);
    if (!options.tags.empty()) {
      json_.key("tags").begin_array();
      for (const std::string& tag : options.tags) json_.string(tag);
      json_.end_array();
    }
    if (options.deprecated) json_.key("deprecated").boolean(true);
    if (options.open_to_all) json_.key("security").begin_array().end_array();
    parameters(route);
    body(*route.operation);
    responses(*route.operation);
    json_.end_object();
  }

  void parameters(const RouteInfo& route) {
    const TypedOperation& operation = *route.operation;
    std::vector<std::string_view> untold = pattern_names(route.pattern);
    const ObjectType* const object =
        operation.input == nullptr ? nullptr : std::get_if<ObjectType>(&operation.input().of);
    json_.key("parameters").begin_array();
    if (object != nullptr) {
      for (const Field& field : object->fields) {
        if (field.source == Source::member || field.source == Source::body) continue;
        if (field.source == Source::path) std::erase(untold, std::string_view(field.name));
        parameter(*object, field);
      }
    }
    for (const std::string_view name : untold) {
      json_.begin_object().key("name").string(name).key("in").string("path");
      json_.key("required").boolean(true).key("schema").raw(R"({"type":"string"})").end_object();
    }
    json_.end_array();
  }

  void parameter(const ObjectType& object, const Field& field) {
    json_.begin_object().key("name").string(field.name);
    json_.key("in").string(to_string(field.source)).key("required").boolean(field.required);
    text_if("description", field.checks.about);
    Checks checks = field.checks;
    checks.about.clear();  // it stands beside the schema
    const DescribedType* type = &field.type();
    if (const auto* optional = std::get_if<OptionalType>(&type->of)) type = &optional->item();
    json_.key("schema");
    schemas_.write(json_, *type, checks, default_of(object, field));
    json_.end_object();
  }

  void body(const TypedOperation& operation) {
    if (operation.input == nullptr) return;
    const OperationBody body = body_of(operation.input());
    if (body.type == nullptr) return;
    json_.key("requestBody").begin_object().key("required").boolean(body.required);
    content(*body.type, body.checks == nullptr ? Checks() : *body.checks);
    json_.end_object();
  }

  void content(const DescribedType& type, const Checks& checks) {
    json_.key("content").begin_object().key("application/json").begin_object().key("schema");
    schemas_.write(json_, type, checks);
    json_.end_object().end_object();
  }

  void responses(const TypedOperation& operation) {
    json_.key("responses").begin_object();
    json_.key(std::to_string(operation.options.status)).begin_object();
    json_.key("description").string(operation.output == nullptr ? "Done." : "The answer.");
    if (operation.output != nullptr) content(operation.output(), {});
    json_.end_object();
    constexpr std::string_view kReference = R"({"$ref":"#/components/responses/Problem"})";
    if (operation.input != nullptr) json_.key("422").raw(kReference);
    json_.key("default").raw(kReference).end_object();
  }

  void components() {
    json_.key("components").begin_object();
    json_.key("schemas").begin_object();
    schemas_.write_components(json_);
    json_.key("Problem").raw(kProblem).end_object();
    json_.key("responses").begin_object().key("Problem").raw(kProblemResponse).end_object();
    if (!options_.security.empty()) {
      json_.key("securitySchemes").begin_object();
      for (const SecurityScheme& scheme : options_.security) security(scheme);
      json_.end_object();
    }
    json_.end_object();
  }

  void security(const SecurityScheme& scheme) {
    json_.key(scheme.name).begin_object();
    if (scheme.kind == SecurityScheme::Kind::bearer) {
      json_.key("type").string("http").key("scheme").string("bearer");
    } else {
      json_.key("type").string("apiKey").key("in").string("header");
      json_.key("name").string(scheme.field);
    }
    json_.end_object();
  }

  const OpenApiOptions& options_;
  JsonText json_;
  SchemaWriter schemas_{{"Problem"}};
  std::set<std::string> ids_;
  std::set<std::pair<std::string, Method>> methods_;
};

// Made once, by whichever thread is asked first.
struct LazyDocument {
  LazyDocument(const Server& its_server, OpenApiOptions its_options)
      : server(its_server), options(std::move(its_options)) {}

  const Bytes& get() {
    std::call_once(once,
                   [this] { document = Bytes::adopt(openapi_document(server.routes(), options)); });
    return document;
  }

  const Server& server;
  const OpenApiOptions options;
  std::once_flag once;
  Bytes document;
};

}  // namespace
}  // namespace detail

std::string openapi_document(const std::vector<RouteInfo>& routes, const OpenApiOptions& options) {
  return detail::Document(options).write(routes);
}

detail::PlainHandler openapi(const Server& server, OpenApiOptions options) {
  auto lazy = std::make_shared<detail::LazyDocument>(server, std::move(options));
  return [lazy](const Context&, const Request&) -> Result<Response> {
    Response response;
    response.body(lazy->get(), "application/json");
    return response;
  };
}

}  // namespace aiserve::inline v0::http
