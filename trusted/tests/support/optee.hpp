// SPDX-License-Identifier: Apache-2.0
// The trusted application in OP-TEE under QEMU, on a device of its own.
#pragma once
#include "trusted/qemu/device.hpp"
#include "trusted/tests/support/programs.hpp"

namespace community::trusted::testing {

// What `make optee` built, or the folder that COMMUNITY_OPTEE_IMAGE names.
qemu::Image optee_image();

class OpteeDevice : public ProgramBody {
 public:
  explicit OpteeDevice(qemu::Image image = optee_image())
      : image_(std::move(image)), device_(folder_.path() + "/device") {}
  ~OpteeDevice() override { close_console(); }

  // Makes the device, starts it and asks for keys. It keeps running.
  Error provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) override;
  // Starts QEMU, unless it runs, and waits for the guest; store_failed when it ends instead.
  Error start() override;
  Error stop(bool clean) override;
  bool wants_release() const override { return true; }

  const qemu::Device& device() const { return device_; }
  const qemu::Image& image() const { return image_; }
  void use_image(qemu::Image image) { image_ = std::move(image); }
  // From the next start on: words for the kernel's command line, and settings ("NAME=value") of QEMU's environment.
  void use_kernel_words(std::string words) { kernel_words_ = std::move(words); }
  void use_environment(std::vector<std::string> environment) { environment_ = std::move(environment); }
  // The guest's console until it was ready or ended.
  const std::string& console() const { return console_; }
  // What comes of the console from then on, to the end of QEMU, for which it waits.
  std::string console_to_the_end();
  // A line on the guest's console, as somebody would type it.
  void type_line();
  std::string secure_log() const;

 private:
  void close_console();

  qemu::Image image_;
  qemu::Device device_;
  std::string kernel_words_;
  std::vector<std::string> environment_;
  std::string console_;
  int console_output_ = -1, console_input_ = -1;
};

}  // namespace community::trusted::testing
