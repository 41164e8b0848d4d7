# tuner_core: the pure half of aiserve-bench (no threads, no sockets, no aiserve), which the unit
# tests link without the rest of the benchmarks.
include_guard(GLOBAL)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

set(files
  advice.cpp
  arguments.cpp
  arrivals.cpp
  axis.cpp
  compare.cpp
  fair_share.cpp
  help_text.cpp
  html_report.cpp
  http_text.cpp
  knee.cpp
  latency_histogram.cpp
  load_keys.cpp
  load_result.cpp
  model_spec.cpp
  parse.cpp
  progress.cpp
  run_file.cpp
  send_proof.cpp
  statistics.cpp
  svg_plot.cpp
  svg_timeline.cpp
  timeline.cpp)
list(TRANSFORM files PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(tuner_core STATIC ${files})
target_compile_features(tuner_core PUBLIC cxx_std_20)
target_include_directories(tuner_core PUBLIC ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(tuner_core
  PUBLIC fmt::fmt
  PRIVATE nlohmann_json::nlohmann_json aiserve_warnings)
