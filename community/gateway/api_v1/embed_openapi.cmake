# Writes OUT, a C++ source with the text of IN: cmake -DIN=… -DOUT=… -P embed_openapi.cmake. As numbers, because compilers
# limit the length of a literal.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUT} "// Made from spec/openapi.json.\n#include \"community/gateway/api_v1/openapi.hpp\"\n"
  "namespace community::gateway::api_v1 {\n"
  "static constexpr char kText[] = {${bytes}0};\n"
  "std::string_view openapi_text() { return {kText, sizeof(kText) - 1}; }\n"
  "}  // namespace community::gateway::api_v1\n")
