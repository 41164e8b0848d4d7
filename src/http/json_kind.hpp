// JsonKind: which kind of JSON value a described type is written as.
#pragma once

#include "aiserve/http/described_type.hpp"
#include "http/json_reader.hpp"

namespace aiserve::inline v0::http::detail {

using JsonKind = JsonToken;

// Of an optional: that of what it holds. Of a variant without tag: `none`, it has several.
JsonKind kind_of(const DescribedType& type);

}  // namespace aiserve::inline v0::http::detail
