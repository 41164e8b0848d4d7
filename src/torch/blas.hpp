// Which BLAS this process runs, and its threads. libtorch calls whatever sgemm_ the dynamic linker
// found first, so that is where we look too.
#pragma once

#include "aiserve/torch/torch_model.hpp"

namespace aiserve::inline v0::detail {

// Name and library; gflops is left to be measured.
BlasInfo find_blas();

// OpenBLAS has one number of threads for the whole process, and its threads fight with those of
// other instances. Other libraries are left alone: Debian's BLIS starts with one thread, netlib
// has none.
void set_blas_threads(int threads) noexcept;

}  // namespace aiserve::inline v0::detail
