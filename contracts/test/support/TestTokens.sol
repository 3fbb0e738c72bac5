// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// @dev Tokens that anybody may mint, for tests and development chains only.
contract TestToken is ERC20("Test Token", "TEST") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

contract TestCollectible is ERC721("Test Collectible", "TEST") {
    function mint(address to, uint256 id) external {
        _safeMint(to, id);
    }
}

contract TestItems is ERC1155("") {
    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }
}
