// Numbers come in, one a line, and their doubles go out while more come in.
#pragma once

#include <aiserve/http/handler.hpp>
#include <aiserve/serving/batcher.hpp>

aiserve::Async<void> double_lines(aiserve::Batcher& batcher, const aiserve::Context& ctx,
                                  aiserve::http::BodyReader& body,
                                  aiserve::http::BodyWriter& answer);
