// OperationBody: what of a described input is the JSON body of its request.
#pragma once

#include <cstddef>

#include "aiserve/http/described_type.hpp"

namespace aiserve::inline v0::http::detail {

struct OperationBody {
  const DescribedType* type = nullptr;  // null: there is none
  const Checks* checks = nullptr;       // null: none
  std::size_t offset = 0;               // of it, in the input
  bool required = true;
};

OperationBody body_of(const DescribedType& type);

}  // namespace aiserve::inline v0::http::detail
