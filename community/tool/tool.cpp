// SPDX-License-Identifier: Apache-2.0
// The line loop: reads what is there, answers every complete line, writes, reads on. A line's values live in one
// reused buffer.
#include <istream>
#include <ostream>

#include "community/tool/api/tool.hpp"
#include "community/tool/input.hpp"

namespace community::tool {

namespace {

constexpr std::size_t kReadBytes = 1u << 16;
constexpr std::size_t kScratchBytes = 1u << 16;
// Nesting of RLP values, and a few levels around them.
constexpr std::size_t kMaxDepth = 300;

const NamedOperation* find_operation(std::string_view name) {
  for (const auto table : {encoding_operations(), chain_operations(), key_operations(), check_operations()})
    for (const NamedOperation& operation : table)
      if (operation.name == name) return &operation;
  return nullptr;
}

class Tool {
 public:
  explicit Tool(std::ostream& out) : out_(out), scratch_(kScratchBytes) {}

  // Answers one line without its line feed.
  void answer(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    json::monotonic_resource memory(scratch_.data(), scratch_.size());
    const core::JsonLimits limits{kMaxLineBytes, kMaxDepth, true};
    const auto parsed = core::parse_json(line, limits, &memory);
    if (!parsed) return answer_bad_line(parsed.error().text());
    if (!parsed->is_object()) return answer_bad_line("json_wrong_type: not an object");
    json::object reply(&memory);
    fill_reply(parsed->get_object(), reply);
    write(reply);
  }

  void answer_bad_line(std::string_view why) {
    json::object reply;
    reply["id"] = nullptr;
    reply["error"] = why;
    write(reply);
  }

  bool flush() {
    out_.write(pending_.data(), static_cast<std::streamsize>(pending_.size()));
    out_.flush();
    pending_.clear();
    return out_.good();
  }

 private:
  static void fill_reply(const json::object& request, json::object& reply) {
    const json::value* id = request.if_contains("id");
    reply["id"] = id == nullptr ? json::value() : *id;
    const auto op = core::string_member(request, "op");
    const auto input = core::object_member(request, "in");
    if (!op || !input) {
      reply["error"] = (op ? input.error() : op.error()).text();
      return;
    }
    const NamedOperation* operation = find_operation(*op);
    if (operation == nullptr) {
      reply["error"] = "unknown operation";
      return;
    }
    Input in(**input);
    json::object out(reply.storage());
    operation->run(in, out);
    if (in.good()) {
      reply["out"] = std::move(out);
    } else if (in.skipped()) {
      reply["skip"] = true;
    } else {
      reply["error"] = in.why();
    }
  }

  void write(const json::object& reply) {
    serializer_.reset(&reply);
    char chunk[4096];
    while (!serializer_.done()) pending_ += std::string_view(serializer_.read(chunk));
    pending_ += '\n';
  }

  std::ostream& out_;
  std::vector<unsigned char> scratch_;
  std::string pending_;
  json::serializer serializer_;
};

// Collects lines out of chunks; of a line that is too long it keeps only that it was.
class Lines {
 public:
  explicit Lines(Tool& tool) : tool_(tool) {}

  void add(std::string_view chunk) {
    while (!chunk.empty()) {
      const std::size_t end = chunk.find('\n');
      const std::string_view part = chunk.substr(0, end);
      if (end == std::string_view::npos) return keep(part);
      if (line_.empty() && !too_long_) {
        tool_.answer(part);
      } else {
        keep(part);
        finish();
      }
      chunk.remove_prefix(end + 1);
    }
  }
  // The last line may lack its line feed.
  void finish() {
    if (too_long_) {
      tool_.answer_bad_line("json_too_large: line of more than " + std::to_string(kMaxLineBytes) + " bytes");
    } else if (!line_.empty()) {
      tool_.answer(line_);
    }
    line_.clear();
    too_long_ = false;
  }

 private:
  void keep(std::string_view part) {
    too_long_ = too_long_ || line_.size() + part.size() > kMaxLineBytes;
    if (too_long_) {
      line_.clear();
    } else {
      line_ += part;
    }
  }

  Tool& tool_;
  std::string line_;
  bool too_long_ = false;
};

}  // namespace

int run_tool(std::istream& in, std::ostream& out) {
  Tool tool(out);
  Lines lines(tool);
  std::streambuf* source = in.rdbuf();
  std::vector<char> chunk(kReadBytes);
  // sgetc waits for input; what it made available is taken without waiting again, so a caller that sends one line and
  // waits for its answer gets it.
  while (source->sgetc() != std::char_traits<char>::eof()) {
    const auto ready = std::clamp<std::streamsize>(source->in_avail(), 1, static_cast<std::streamsize>(chunk.size()));
    const auto taken = source->sgetn(chunk.data(), ready);
    lines.add({chunk.data(), static_cast<std::size_t>(taken)});
    if (!tool.flush()) return 1;
  }
  lines.finish();
  return tool.flush() ? 0 : 1;
}

}  // namespace community::tool
