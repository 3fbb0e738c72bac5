// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Keeps one saved game for each player. It holds no money and knows no owner.
contract SaveGame {
    struct Save {
        bytes32 state;
        uint32 score;
    }

    /// @notice The latest save of a player; all zero before the first.
    mapping(address player => Save) public saves;

    event Saved(address indexed player, bytes32 state, uint32 score);

    /// @notice Replaces the caller's save. A game that was never begun is no save.
    error NothingToSave();

    function save(bytes32 state, uint32 score) external {
        if (state == 0) revert NothingToSave();
        saves[msg.sender] = Save(state, score);
        emit Saved(msg.sender, state, score);
    }
}
