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

  // Makes the device, starts it and asks for keys. It keeps running.
  Error provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) override;
  // Starts QEMU, unless it runs, and waits for the guest; store_failed when it ends instead.
  Error start() override;
  Error stop(bool clean) override;
  bool wants_release() const override { return true; }

  const qemu::Device& device() const { return device_; }
  void use_image(qemu::Image image) { image_ = std::move(image); }
  // The guest's console until it was ready or ended.
  const std::string& console() const { return console_; }
  std::string secure_log() const;

 private:
  qemu::Image image_;
  qemu::Device device_;
  std::string console_;
};

}  // namespace community::trusted::testing
