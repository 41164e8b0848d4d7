// Numbers as text, doubled by a model.
#pragma once

#include <aiserve/http/handler.hpp>
#include <aiserve/serving/batcher.hpp>

#include <string_view>

aiserve::Async<float> twice(aiserve::Batcher& batcher, const aiserve::Context& ctx,
                            std::string_view number);

// Numbers come in, one a line, and their doubles go out while more come in.
aiserve::Async<void> double_lines(aiserve::Batcher& batcher, const aiserve::Context& ctx,
                                  aiserve::http::BodyReader& body,
                                  aiserve::http::BodyWriter& answer);
