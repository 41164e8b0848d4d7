# cmake -DOUTPUT=page.cpp -DFILES="a;b" -P embed.cmake
#
# Writes a C++ file that holds the given files as arrays: service::page_files() of page.hpp.
cmake_minimum_required(VERSION 3.25)

set(text "// Made by embed.cmake.\n#include \"page.hpp\"\n\nnamespace service {\nnamespace {\n\n")
set(table "")
set(index 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 tag)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)"
    "\\1\n    " bytes "${bytes}")
  string(APPEND text "constexpr unsigned char kFile${index}[] = {\n    ${bytes}};\n\n")
  string(APPEND table "    {\"${name}\", \"\\\"${tag}\\\"\", kFile${index}},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text "constexpr PageFile kFiles[] = {\n${table}};\n\n}  // namespace\n\n"
  "std::span<const PageFile> page_files() { return kFiles; }\n\n}  // namespace service\n")
file(WRITE ${OUTPUT} "${text}")
