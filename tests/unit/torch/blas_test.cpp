#include "torch/blas.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "torch/script_module.hpp"
#include "unit/torch/script_files.hpp"

using namespace aiserve;
using namespace aiserve::detail;

TEST_CASE("the BLAS in use is named and measured") {
  BlasInfo blas = find_blas();
  blas.gflops = measure_gflops();
  MESSAGE(blas.name << ", " << blas.library << ", " << blas.gflops << " GFLOP/s");
  CHECK(!blas.name.empty());
  CHECK(blas.gflops > 0);
  if (blas.library.find("openblas") != std::string::npos)
    CHECK(blas.name.starts_with("OpenBLAS 0."));
}

TEST_CASE("below 10 GFLOP/s a BLAS counts as slow") {
  CHECK(BlasInfo{.gflops = 2}.slow());
  CHECK(!BlasInfo{.gflops = 44}.slow());
}

TEST_CASE("an instance's thread count is its own thread's alone") {
  const int before = intra_op_threads();
  const int fresh = testing::threads_of_a_new_thread();
  std::thread([] {
    const IntraOpThreads three(3);
    CHECK(intra_op_threads() == 3);
    {
      const IntraOpThreads one(1);
      CHECK(intra_op_threads() == 1);
    }
    CHECK(intra_op_threads() == 3);
  }).join();
  CHECK(intra_op_threads() == before);
  CHECK(testing::threads_of_a_new_thread() == fresh);
}
